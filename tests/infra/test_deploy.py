"""Tests `make deploy` and `make destroy`: their steps as data and as printed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.empty_bucket import empty_bucket
from infra.plans import Options, image_tag, plan_deploy, plan_destroy, plan_upload_model
from seefood.bundle import load_bundle
from tests.bundles import fake_bundle
from tests.conftest import ROOT, Bucket


def _words(step: Any) -> str:
    return " ".join(step.command)


def test_a_deploy_builds_first_and_changes_aws_after() -> None:
    """A step that fails on this machine fails before anything in the account changes."""
    programs = [step.command[:2] for step in plan_deploy(Options("eu-west-1"))]

    assert [
        (sys.executable, "infra/build_lambda_zip.py"),
        ("docker", "build"),
        ("sam", "build"),
        ("sam", "deploy"),
        ("docker", "login"),
        ("docker", "push"),
    ] == programs


def test_another_token_or_model_takes_another_snapshot() -> None:
    """Whatever decides the function is in the name of its deployment."""
    deployments = []
    for given in ((), ("HttpToken=correct-horse-battery",), ("TopK=3",), ()):
        text = "\n".join(map(_words, plan_deploy(Options("eu-west-1", parameters=given))))
        deployments += re.findall('Deployment="([0-9a-f]{16})"', text)

    assert deployments[0] == deployments[3]
    assert 3 == len(set(deployments))


def test_a_deploy_with_fast_packs_the_variants() -> None:
    """The zip has the model's faster variants only where the function runs one."""
    plain, fast = (
        plan_deploy(Options("eu-west-1", parameters=given))[0].command
        for given in ((), ("Fast=0.5",))
    )
    assert {"--fast"} == set(fast) - set(plain)


def test_a_deploy_switches_function_and_job_to_the_same_model(tmp_path: Path) -> None:
    """The package gets the bundle, the stack its digest, the bucket its files."""
    bundle = fake_bundle(tmp_path / "new")
    steps = plan_deploy(Options("eu-west-1", model=bundle.path))
    text = "\n".join(map(_words, steps))

    assert f"--model {bundle.path} --output build/lambda.zip" in text
    assert f'ModelDigest="{bundle.digest}"' in text
    assert f"s3://seefood-results-<account>-eu-west-1/models/{bundle.digest}/" in text
    assert load_bundle(bundle.path).digest == bundle.digest


def test_a_deploy_without_a_model_uses_the_built_in_one() -> None:
    """A missing parameter would keep its last value, so the model is always given."""
    text = "\n".join(map(_words, plan_deploy(Options("eu-west-1"))))

    assert 'ModelDigest="built-in"' in text


def test_the_image_is_built_for_the_stacks_architecture() -> None:
    """Docker's platform and Batch's architecture match."""
    steps = plan_deploy(Options("eu-west-1", image_architecture="arm64"))
    text = "\n".join(map(_words, steps))

    assert "--platform linux/arm64" in text
    assert 'BulkArchitecture="ARM64"' in text


def test_an_image_is_named_by_its_content(tmp_path: Path) -> None:
    """The same sources give the same tag, changed sources another: no tag is overwritten."""
    for name in ("constraints.txt", "seefood/a.py", "lambda/b.py", "infra/bulk.Dockerfile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    before = image_tag(tmp_path)
    (tmp_path / "README.md").write_text("not in the image")
    same = image_tag(tmp_path)
    assert before == same
    for name in ("seefood/a.py", "lambda/b.py"):
        (tmp_path / name).write_text("changed")
        assert image_tag(tmp_path) != same
        same = image_tag(tmp_path)


def test_a_gpu_takes_an_image_with_cuda_and_another_tag() -> None:
    """The image has the engine's extra, and never the tag of the image without."""
    tags = set()
    for engine, extra in (
        (None, None),
        ("tensorflow", "tensorflow-cuda"),
        ("onnxruntime", "onnx-cuda"),
    ):
        given = () if engine is None else ("BulkGpuInstances=g6.xlarge", f"BulkGpuEngine={engine}")
        text = "\n".join(map(_words, plan_deploy(Options("eu-west-1", parameters=given))))
        tags |= set(re.findall('BulkImageTag="([0-9a-f]+)"', text))
        assert (f"--build-arg EXTRAS=beam {extra} " in text) == (extra is not None)
        assert ("--build-arg" in text) == (extra is not None)
    assert 3 == len(tags)


def test_destroying_keeps_pictures_and_results_by_default() -> None:
    """Only DELETE_DATA deletes data, and never a bucket that the stack did not create."""
    default = plan_destroy(Options("eu-west-1"))
    with_data = plan_destroy(Options("eu-west-1", delete_data=True))
    own_bucket = plan_destroy(
        Options("eu-west-1", delete_data=True, parameters=("ImageBucketName=my-photos",))
    )

    assert ["sam delete --stack-name seefood --region eu-west-1 --no-prompts"] == [
        *map(_words, default)
    ]
    assert [
        "seefood-images-<account>-eu-west-1",
        "seefood-results-<account>-eu-west-1",
    ] == [step.command[2] for step in with_data[1:]]
    assert ["seefood-results-<account>-eu-west-1"] == [step.command[2] for step in own_bucket[1:]]


def test_uploading_a_model_changes_nothing_else(tmp_path: Path) -> None:
    """The new bundle is stored under its own digest."""
    bundle = fake_bundle(tmp_path / "new")
    (step,) = plan_upload_model(Options("eu-west-1", model=bundle.path))

    assert ("aws", "s3", "sync") == step.command[:3]
    assert f"/models/{bundle.digest}/" in _words(step)


@pytest.mark.parametrize("action", ["deploy", "destroy"])
def test_a_dry_run_prints_each_command_and_needs_no_credentials(action: str) -> None:
    """Every line is a comment or a shell command."""
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
        (["deploy", "--region", "x", "--stack", "Seefood"], "is part of its buckets' names"),
        (["upload-model", "--region", "x"], "needs --model"),
        (["deploy", "--region", "x", "--set", "AlarmEmail"], "no parameter"),
        (
            ["deploy", "--region", "us-east-1", "--model", "/nowhere", "--dry-run"],
            "no model bundle",
        ),
    ],
    ids=["no region", "stack's name", "no model", "no value", "no bundle"],
)
def test_invalid_options_fail_before_the_first_step(arguments: list[str], message: str) -> None:
    """The error is one sentence."""
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


def test_the_upload_handler_alone_needs_no_docker() -> None:
    """With Bulk=none nothing is built or pushed but the function."""
    steps = plan_deploy(Options("eu-west-1", parameters=("Bulk=none",)))

    assert "docker" not in "\n".join(map(str, steps))


def test_a_dry_run_shows_the_final_values_but_no_secret() -> None:
    """Each parameter with its value, and not the token."""
    done = subprocess.run(
        [
            *(sys.executable, "infra/deploy.py", "deploy", "--region", "eu-west-1", "--dry-run"),
            *("--set", "HttpAccess=token", "HttpToken=correct-horse-battery", "BulkJob=none"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "#   HttpAccess=token\n" in done.stdout
    assert "#   Bulk=none\n" in done.stdout
    assert "correct-horse" not in done.stdout


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with an `aws`, a `sam` and a `docker` that record their arguments."""
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


def test_steps_run_with_the_accounts_number(tools: Path, tmp_path: Path) -> None:
    """The printed placeholder is replaced by the number of the credentials' account."""
    bundle = fake_bundle(tmp_path / "new")

    done = _deploy(tools, "upload-model", "--model", str(bundle.path))

    target = f"s3://seefood-results-123456789012-eu-west-1/models/{bundle.digest}/"
    assert (0, "") == (done.returncode, done.stderr)
    assert [
        "aws sts get-caller-identity --query Account --output text",
        f"aws s3 sync {bundle.path} {target} --region eu-west-1 --no-progress",
    ] == (tools / "called").read_text().splitlines()


def test_a_failed_step_is_the_last(tools: Path) -> None:
    """Buckets are not emptied if the stack could not be deleted."""
    done = _deploy(tools, "destroy", "--stack", "broken", "--delete-data")

    assert 1 == done.returncode
    assert "this step failed with code 4" in done.stderr
    assert "empty_bucket" not in done.stdout


def test_emptying_a_bucket_deletes_all_versions(s3: Bucket) -> None:
    """Old versions and markers too, then the bucket; an absent bucket is no error."""
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
