"""Deploys the stack and takes it down: the steps as data, shown before they are run.

    python infra/deploy.py deploy --region eu-west-1 --dry-run
    python infra/deploy.py deploy --region eu-west-1 --set AlarmEmail=me@example.org
    python infra/deploy.py deploy --region eu-west-1 --model my-bundle
    python infra/deploy.py upload-model --region eu-west-1 --model my-bundle
    python infra/deploy.py destroy --region eu-west-1 [--delete-data]

Each step is one command that a person could type. `--dry-run` prints them all and runs none; it
needs no credentials. `sam` and `aws` come pinned through uv where they are not installed.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
ACCOUNT: Final = "<account>"
"""Stands in commands for the account's number, which only the credentials know."""
_PINNED: Final = {"sam": "aws-sam-cli==1.170.0", "aws": "awscli>=1.40,<2"}
_IMAGE_PARTS: Final = (
    ".dockerignore",
    "constraints.txt",
    "infra/bulk.Dockerfile",
    "pipeline",
    "pyproject.toml",
    "seefood",
    "training",
)
# Lambda's, Batch's and Docker's names of one architecture.
_ARCHITECTURES: Final = {"x86_64": ("X86_64", "linux/amd64"), "arm64": ("ARM64", "linux/arm64")}


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asks for."""

    region: str
    stack: str = "seefood"
    model: Path | None = None
    """A bundle's folder; None is the built-in model."""
    parameters: tuple[str, ...] = ()
    """The template's parameters, as `Name=value`."""
    image_architecture: str = "x86_64"
    """What this machine builds without emulation."""
    delete_data: bool = False

    @property
    def results_bucket(self) -> str:
        """The bucket that the template names so."""
        return f"{self.stack}-results-{ACCOUNT}-{self.region}"

    @property
    def image_bucket(self) -> str:
        """The bucket that the template names so, if it makes one."""
        return f"{self.stack}-images-{ACCOUNT}-{self.region}"


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and why it is run."""

    why: str
    command: tuple[str, ...]
    reads: tuple[str, ...] | None = None
    """A command whose output this one reads, as by a pipe."""
    unless: tuple[str, ...] | None = None
    """A command that succeeds if this step is done already, as before `||`."""

    def __str__(self) -> str:
        """Return the line that a person would type, with its reason as a comment."""
        line = _line(self.command)
        if self.reads:
            line = f"{_line(self.reads)} | {line}"
        if self.unless:
            line = f"{_line(self.unless)} || {line}"
        return f"# {self.why}\n{line}"


def plan_deploy(options: Options) -> list[Step]:
    """Return what deploys: first all that can fail on this machine, then what changes AWS."""
    digest = "box" if options.model is None else bundle_digest(options.model)
    lambda_architecture = _given(options.parameters, "LambdaArchitecture") or "arm64"
    batch, platform_name = _ARCHITECTURES[options.image_architecture]
    tag = image_tag(ROOT)
    registry = f"{ACCOUNT}.dkr.ecr.{options.region}.amazonaws.com"
    image = f"{registry}/{options.stack}-bulk:{tag}"
    model = () if options.model is None else ("--model", str(options.model))
    parameters = (
        f"ModelDigest={digest}",
        f"BulkImageTag={tag}",
        f"BulkArchitecture={batch}",
        *options.parameters,
    )
    steps = [
        Step(
            "build the function's package",
            (
                *(sys.executable, "infra/build_lambda_zip.py"),
                *("--architecture", lambda_architecture, *model, "--output", "build/lambda.zip"),
            ),
        ),
        Step(
            "build the bulk job's image",
            (
                *("docker", "build", "--platform", platform_name),
                *("--file", "infra/bulk.Dockerfile", "--tag", image, "."),
            ),
        ),
        Step("check the template and stage it", ("sam", "build", "--template", _TEMPLATE)),
        Step(
            "create or change the stack",
            (
                *("sam", "deploy", "--stack-name", options.stack, "--region", options.region),
                *("--resolve-s3", "--s3-prefix", options.stack, "--capabilities"),
                *("CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"),
                *("--tags", "app=seefood", f"stack={options.stack}"),
                *("--parameter-overrides", *map(_override, parameters)),
            ),
        ),
        Step(
            "let Docker into the stack's registry",
            ("docker", "login", "--username", "AWS", "--password-stdin", registry),
            reads=("aws", "ecr", "get-login-password", "--region", options.region),
        ),
        Step(
            "push the image, unless one with this content is there",
            ("docker", "push", image),
            unless=(
                *("aws", "ecr", "describe-images", "--region", options.region),
                *("--repository-name", f"{options.stack}-bulk", "--image-ids", f"imageTag={tag}"),
            ),
        ),
    ]
    return steps + ([] if options.model is None else plan_upload_model(options))


def plan_upload_model(options: Options) -> list[Step]:
    """Return what puts a bundle beside those that are there; nothing uses it yet."""
    assert options.model is not None  # noqa: S101 (the parser requires it)
    place = f"s3://{options.results_bucket}/models/{bundle_digest(options.model)}/"
    return [
        Step(
            "put the model where the bulk job finds it",
            (
                *("aws", "s3", "sync", str(options.model), place),
                *("--region", options.region, "--no-progress"),
            ),
        )
    ]


def plan_destroy(options: Options) -> list[Step]:
    """Return what takes the stack down; pictures and results stay unless `delete_data`."""
    where = ("--region", options.region)
    delete = Step(
        "delete the stack, its images and its logs",
        ("sam", "delete", "--stack-name", options.stack, *where, "--no-prompts"),
    )
    if not options.delete_data:
        return [delete]
    buckets = [options.results_bucket]
    if _given(options.parameters, "ImageBucketName") is None:
        buckets.insert(0, options.image_bucket)
    # A bucket that was yours before is never in this list.
    return [delete] + [
        Step(
            "delete the bucket with every version of every object",
            (sys.executable, "infra/empty_bucket.py", bucket, *where, "--delete"),
        )
        for bucket in buckets
    ]


def bundle_digest(folder: Path) -> str:
    """Return the digest of the bundle in `folder`. Exits if there is none."""
    try:
        document = json.loads((folder / "assets.extra" / "bundle.json").read_bytes())
        return str(document["digest"])
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"deploy: {folder} is no model bundle ({error}); MODEL takes a bundle's folder")


def image_tag(root: Path) -> str:
    """Return a tag that names the image's content: the same sources, the same tag."""
    content = hashlib.sha256()
    for part in _IMAGE_PARTS:
        for file in _files(root / part):
            content.update(file.relative_to(root).as_posix().encode() + b"\0")
            content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:16]


def run(steps: Sequence[Step]) -> None:
    """Run `steps` one after the other, each printed before. Exits at the first that fails."""
    account = _output(
        ("aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text")
    )
    for step in steps:
        print(f"\n{step}", flush=True)
        if step.unless is not None and _succeeds(step.unless):
            continue
        command = [word.replace(ACCOUNT, account) for word in _installed(step.command)]
        given = None if step.reads is None else _output(step.reads)
        done = subprocess.run(command, cwd=ROOT, input=given, text=True, check=False)
        if done.returncode:
            sys.exit(f"deploy: this step failed with code {done.returncode}; mend it and run again")


_TEMPLATE: Final = "infra/template.yaml"


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def _override(parameter: str) -> str:
    """Return `Name=value` as sam reads it also with spaces in the value, or without any."""
    name, _, value = parameter.partition("=")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def _given(parameters: Sequence[str], name: str) -> str | None:
    values = [one.partition("=")[2] for one in parameters if one.startswith(f"{name}=")]
    return values[-1] if values and values[-1] else None


def _installed(command: Sequence[str]) -> list[str]:
    """Return `command` with its program as it can be started here."""
    name, *rest = command
    if name not in _PINNED or shutil.which(name):
        return [name, *rest]
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    return [uv, "tool", "run", "--quiet", "--from", _PINNED[name], name, *rest]


def _succeeds(command: Sequence[str]) -> bool:
    return not subprocess.run(
        _installed(command), cwd=ROOT, capture_output=True, check=False
    ).returncode


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(
        _installed(command), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"deploy: `{' '.join(command)}` failed; are your AWS credentials set?")
    return done.stdout.strip()


def _line(command: Sequence[str]) -> str:
    return " ".join(map(_quoted, command))


def _quoted(word: str) -> str:
    if word == sys.executable:
        return "python"
    return word if ACCOUNT in word else shlex.quote(word)


def _parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Options]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=("deploy", "upload-model", "destroy"))
    parser.add_argument("--region", default=os.environ.get("AWS_REGION"))
    parser.add_argument("--stack", default="seefood")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--set", nargs="*", default=[], dest="parameters", metavar="Name=value")
    parser.add_argument("--delete-data", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    asked = parser.parse_args(arguments)
    if not asked.region:
        parser.error("name the region: REGION=eu-west-1, or set AWS_REGION")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,28}", asked.stack):
        parser.error(f"the stack's name {asked.stack!r} begins its buckets' names: a-z, 0-9, -")
    if asked.action == "upload-model" and asked.model is None:
        parser.error("upload-model needs --model, a bundle's folder")
    for one in asked.parameters:
        if not re.fullmatch(r"[A-Za-z]+=.*", one):
            parser.error(f"{one!r} is no parameter; write Name=value")
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    return asked, Options(
        region=asked.region,
        stack=asked.stack,
        model=asked.model,
        parameters=tuple(asked.parameters),
        image_architecture=machine,
        delete_data=asked.delete_data,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Show the steps and, unless it is a dry run, run them."""
    asked, options = _parse(arguments)
    plans = {"deploy": plan_deploy, "upload-model": plan_upload_model, "destroy": plan_destroy}
    steps = plans[asked.action](options)
    if asked.dry_run:
        print("\n\n".join(map(str, steps)))
        return
    run(steps)


if __name__ == "__main__":
    main()
