"""Tests `make deploy` and `make destroy`: their steps as data and as printed."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.empty_bucket import empty_bucket
from infra.parameters import ParameterError, check_parameters
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
        (["deploy", "--region", "x", "--model", "/nowhere", "--dry-run"], "no model bundle"),
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


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("Nonsense=1", "no parameter of the template"),
        ("HttpAccess=everybody", "none of none, iam, token, public"),
        ("LambdaMemory=100", "from 256 to 10240"),
        ("LambdaMemory=much", "no number"),
        ("ImageBucketName=My_Photos", "does not have the form"),
        ("ReservedConcurrency=5", "below LambdaConcurrency=10"),
        ("ScheduleExpression=cron(0 2 * * *)", "no schedule"),
        ("ScheduleExpression=cron(0 2 * * * *)", "not as both"),
        ("ScheduleExpression=every night", "no schedule"),
        ("VpcId=vpc-0123456789abcdef0", "belong together"),
        ("BulkVcpus=16", "Fargate takes"),
        ("BulkGpuInstances=large", "does not have the form"),
        ("BulkGpuInstances=g6.xlarge,g5g.xlarge", "g5g.xlarge has no NVIDIA GPU"),
        ("HttpAccess=token", "belong together"),
        ("HttpToken=short", "its value does not have the form"),
        ("ImagePrefix=in/,in/new/", "would be taken twice"),
        ("ImagePrefix=1/,2/,3/,4/,5/", "does not have the form"),
        ("ImageSuffix=*.jpg", "does not have the form"),
        ("SnapStart=maybe", "none of yes, no"),
        ("TopK=1.5", "a whole number"),
        ("LambdaMemory=1e3", "no number"),
        ("LambdaMemory= 1024", "no number"),
        ("MaxBytes=-1", "at least 0"),
        ("MonthlyBudget=12.50", "has nobody to tell"),
        ("CorsOrigins=https://a.example,https://b.example/", "'https://b.example/'"),
        ("LabelTag=aws:label", "and not aws: in front"),
        ("ImageBucketName=192.168.0.1", "a general purpose bucket"),
        ("ResultsBucketName=rows..2026", "a general purpose bucket"),
        ("ImageBucketName=photos-7d3f-s3alias", "no alias"),
        ("ImagePrefix=in/*", "no pattern"),
        ("VpcId=my-vpc", "the id of a VPC"),
        ("SubnetIds=a,b", "subnet-0123456789abcdef0"),
        ("AlarmEmail=me", "a mail address"),
        ("PicturesKeyArn=arn:aws:kms:eu-west-1:123456789012:alias/a", "not of an alias"),
        ("ScheduleTimezone=Europe/Atlantis", "no time zone"),
        ("ScheduleExpression=cron(60 2 * * ? *)", "the minute '60'"),
        ("ScheduleExpression=cron(0 2 ? * MON-FUN *)", "the day of the week 'MON-FUN'"),
        ("ScheduleExpression=cron(0 2/0 * * ? *)", "the hour '2/0'"),
        ("ScheduleExpression=at(2026-13-01T02:00:00)", "no schedule"),
    ],
)
def test_every_parameter_is_checked_before_the_first_step(parameter: str, message: str) -> None:
    """One sentence with the value and what is right."""
    with pytest.raises(ParameterError, match=re.escape(message)):
        check_parameters("seefood", "eu-west-1", (parameter,))


def test_a_gpu_is_for_one_architecture_and_has_no_limits_of_fargate() -> None:
    """CUDA's builds are for x86_64; EC2 takes any memory that its instances have."""
    gpu = "BulkGpuInstances=g6.16xlarge"
    with pytest.raises(ParameterError, match="needs BulkArchitecture=X86_64"):
        check_parameters("seefood", "eu-west-1", (gpu, "BulkArchitecture=ARM64"))
    check_parameters("seefood", "eu-west-1", (gpu, "BulkVcpus=16", "BulkMemory=16384"))


@pytest.mark.parametrize(
    "parameters",
    [
        ("ScheduleExpression=cron(15 10 ? * MON-FRI *)", "ScheduleTimezone=Europe/Berlin"),
        ("ScheduleExpression=rate(12 hours)",),
        ("ScheduleExpression=cron(0/15 8-17,22 L JAN,jul ? 2026-2030)",),
        ("ScheduleExpression=cron(0 2 ? * 6#3 *)",),
        ("ScheduleExpression=at(2026-12-31T02:00:00)",),
        ("MonthlyBudget=12.50", "AlarmEmail=me@example.org", "AlarmFailureRatio=0.5"),
        ("CorsOrigins=*",),
        ("CorsOrigins=https://a.example,http://localhost:8000", "LabelTag=what is it"),
        ("VpcId=vpc-0123456789abcdef0", "SubnetIds=subnet-01,subnet-02"),
        ("PicturesKeyArn=arn:aws:kms:eu-west-1:123456789012:key/1", "ImageBucketName=a.b-c"),
        ("ReservedConcurrency=10", "HttpAccess=public"),
        ("Bulk=none",),
        ("HttpAccess=token", "HttpToken=correct-horse-battery"),
        ("BulkGpuInstances=g6.xlarge,g5.xlarge", "BulkVcpus=4", "BulkMemory=8192"),
        ("ImagePrefix=in/,my phone/", "ImageSuffix=.jpg,.JPG", "SnapStart=yes"),
    ],
)
def test_good_parameters_pass(parameters: tuple[str, ...]) -> None:
    """Expressions may have spaces."""
    check_parameters("seefood", "eu-west-1", parameters)


def test_names_and_regions_are_checked_together() -> None:
    """Buckets have at most 63 characters; some regions have no function URLs."""
    with pytest.raises(ParameterError, match="take at most 27"):
        check_parameters("a" * 28, "ap-southeast-1", ())
    check_parameters("a" * 27, "ap-southeast-1", ())
    with pytest.raises(ParameterError, match="HttpAccess=none"):
        check_parameters("seefood", "cn-north-1", ())
    check_parameters("seefood", "cn-north-1", ("HttpAccess=none",))


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
