"""`make deploy` and `make destroy`: what they would do, as data and as printed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.deploy import Options, image_tag, plan_deploy, plan_destroy, plan_upload_model
from infra.empty_bucket import empty_bucket
from seefood.bundle import load_bundle
from tests.bundles import fake_bundle
from tests.conftest import ROOT, Bucket


def _words(step: Any) -> str:
    return " ".join(step.command)


def test_a_deploy_builds_first_and_changes_aws_after() -> None:
    """What can fail on this machine fails before anything in the account is touched."""
    programs = [step.command[:2] for step in plan_deploy(Options("eu-west-1"))]

    assert [
        (sys.executable, "infra/build_lambda_zip.py"),
        ("docker", "build"),
        ("sam", "build"),
        ("sam", "deploy"),
        ("docker", "login"),
        ("docker", "push"),
    ] == programs


def test_a_deploy_switches_both_doors_to_the_same_model(tmp_path: Path) -> None:
    """The package gets the bundle, the stack its digest, the bucket its files, in one go."""
    bundle = fake_bundle(tmp_path / "new")
    steps = plan_deploy(Options("eu-west-1", model=bundle.path))
    text = "\n".join(map(_words, steps))

    assert f"--model {bundle.path} --output build/lambda.zip" in text
    assert f'ModelDigest="{bundle.digest}"' in text
    assert f"s3://seefood-results-<account>-eu-west-1/models/{bundle.digest}/" in text
    assert load_bundle(bundle.path).digest == bundle.digest


def test_a_deploy_without_a_model_goes_back_to_the_one_in_the_box() -> None:
    """A parameter that is left out would keep its last value, so the model is always named."""
    text = "\n".join(map(_words, plan_deploy(Options("eu-west-1"))))

    assert 'ModelDigest="box"' in text


def test_the_image_is_built_for_what_the_stack_runs() -> None:
    """Docker's platform and Batch's architecture are two words for one thing."""
    steps = plan_deploy(Options("eu-west-1", image_architecture="arm64"))
    text = "\n".join(map(_words, steps))

    assert "--platform linux/arm64" in text
    assert 'BulkArchitecture="ARM64"' in text


def test_an_image_is_named_by_its_content(tmp_path: Path) -> None:
    """The same sources give the same tag, a changed line another: a tag is never overwritten."""
    for name in ("constraints.txt", "seefood/a.py", "infra/bulk.Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = image_tag(tmp_path)
    (tmp_path / "README.md").write_text("not in the image")
    same = image_tag(tmp_path)
    (tmp_path / "seefood/a.py").write_text("changed")

    assert before == same
    assert before != image_tag(tmp_path)


def test_destroying_keeps_pictures_and_results_unless_told() -> None:
    """Data goes only with DELETE_DATA, and never a bucket that was there before the stack."""
    kept = plan_destroy(Options("eu-west-1"))
    gone = plan_destroy(Options("eu-west-1", delete_data=True))
    mine = plan_destroy(
        Options("eu-west-1", delete_data=True, parameters=("ImageBucketName=my-photos",))
    )

    assert ["sam delete --stack-name seefood --region eu-west-1 --no-prompts"] == [
        *map(_words, kept)
    ]
    assert [
        "seefood-images-<account>-eu-west-1",
        "seefood-results-<account>-eu-west-1",
    ] == [step.command[2] for step in gone[1:]]
    assert ["seefood-results-<account>-eu-west-1"] == [step.command[2] for step in mine[1:]]


def test_uploading_a_model_touches_nothing_else(tmp_path: Path) -> None:
    """The new bundle lies beside the old one, under its own digest."""
    bundle = fake_bundle(tmp_path / "new")
    (step,) = plan_upload_model(Options("eu-west-1", model=bundle.path))

    assert ("aws", "s3", "sync") == step.command[:3]
    assert f"/models/{bundle.digest}/" in _words(step)


@pytest.mark.parametrize("action", ["deploy", "destroy"])
def test_a_dry_run_prints_each_command_and_needs_no_credentials(action: str) -> None:
    """Every line is a reason or a command that a person could type."""
    done = subprocess.run(
        [
            *(sys.executable, "infra/deploy.py", action, "--region", "eu-west-1", "--dry-run"),
            *("--set", "ScheduleExpression=cron(0 3 * * ? *)"),
        ],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    lines = [line for line in done.stdout.splitlines() if line]
    assert all(re.match(r"# |(python|docker|sam|aws) ", line) for line in lines)
    if action == "deploy":
        assert """'ScheduleExpression="cron(0 3 * * ? *)"'""" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["deploy"], "name the region"),
        (["deploy", "--region", "x", "--stack", "Seefood"], "begins its buckets' names"),
        (["upload-model", "--region", "x"], "needs --model"),
        (["deploy", "--region", "x", "--set", "AlarmEmail"], "no parameter"),
        (["deploy", "--region", "x", "--model", "/nowhere", "--dry-run"], "no model bundle"),
    ],
    ids=["no region", "stack's name", "no model", "no value", "no bundle"],
)
def test_what_cannot_work_is_said_before_the_first_step(arguments: list[str], message: str) -> None:
    """A wrong option ends in one sentence."""
    done = subprocess.run(
        [sys.executable, "infra/deploy.py", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert 0 != done.returncode
    assert message in done.stderr


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with an `aws`, a `sam` and a `docker` that write down how they were called."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("aws", "sam", "docker"):
        (folder / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >> {folder}/called\n'
            'case "$*" in *caller-identity*) echo 123456789012;; *broken*) exit 4;; esac\n'
        )
        (folder / name).chmod(0o755)
    return folder


def _deploy(tools: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "infra/deploy.py", *arguments, "--region", "eu-west-1"],
        cwd=ROOT,
        env={"PATH": f"{tools}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_steps_are_run_with_the_accounts_number_in_place(tools: Path, tmp_path: Path) -> None:
    """What is run is what was printed, with the number that the credentials tell."""
    bundle = fake_bundle(tmp_path / "new")

    done = _deploy(tools, "upload-model", "--model", str(bundle.path))

    place = f"s3://seefood-results-123456789012-eu-west-1/models/{bundle.digest}/"
    assert (0, "") == (done.returncode, done.stderr)
    assert [
        "aws sts get-caller-identity --query Account --output text",
        f"aws s3 sync {bundle.path} {place} --region eu-west-1 --no-progress",
    ] == (tools / "called").read_text().splitlines()


def test_the_first_step_that_fails_is_the_last(tools: Path) -> None:
    """Buckets are not emptied when the stack could not be deleted."""
    done = _deploy(tools, "destroy", "--stack", "broken", "--delete-data")

    assert 1 == done.returncode
    assert "this step failed with code 4" in done.stderr
    assert "empty_bucket" not in done.stdout


def test_emptying_a_bucket_leaves_no_version_that_costs(s3: Bucket) -> None:
    """Old versions and markers go too, then the bucket; a bucket that is gone is done."""
    name = f"versions-{uuid4().hex[:8]}"
    s3.client.create_bucket(Bucket=name)
    s3.client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.client.put_object(Bucket=name, Key="a", Body=body)
    s3.client.delete_object(Bucket=name, Key="a")

    removed = empty_bucket(name, "us-east-1", delete=True)

    assert 3 == removed
    assert name not in [one["Name"] for one in s3.client.list_buckets()["Buckets"]]
    assert 0 == empty_bucket(name, "us-east-1", delete=True)
