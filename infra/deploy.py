"""Deploys and deletes the stack. The steps are data, and each is printed before it runs.

    python infra/deploy.py deploy --region eu-west-1 --dry-run
    python infra/deploy.py deploy --region eu-west-1 --set AlarmEmail=me@example.org
    python infra/deploy.py deploy --region eu-west-1 --model my-bundle
    python infra/deploy.py upload-model --region eu-west-1 --model my-bundle
    python infra/deploy.py destroy --region eu-west-1 [--delete-data]

Each step is one shell command. `--dry-run` prints all of them, runs none, and needs no
credentials. Where `sam` and `aws` are not installed, uv runs pinned versions of them.
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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent.parent))
from infra.parameters import ParameterError, check_parameters, read_declarations

ROOT: Final = Path(__file__).parent.parent
ACCOUNT: Final = "<account>"
"""Placeholder in commands for the account's number, which is read with the credentials."""
_PINNED: Final = {"sam": "aws-sam-cli==1.170.0", "aws": "awscli>=1.40,<2"}
_IMAGE_PARTS: Final = (
    ".dockerignore",
    "constraints.txt",
    "infra/bulk.Dockerfile",
    "lambda",
    "pipeline",
    "pyproject.toml",
    "seefood",
    "training",
)
# Lambda's names of the architectures to Batch's and Docker's.
_ARCHITECTURES: Final = {"x86_64": ("X86_64", "linux/amd64"), "arm64": ("ARM64", "linux/arm64")}


@dataclass(frozen=True, slots=True)
class Options:
    """The operator's options."""

    region: str
    stack: str = "seefood"
    model: Path | None = None
    """A bundle's folder; None for the built-in model."""
    parameters: tuple[str, ...] = ()
    """The template's parameters, as `Name=value`."""
    image_architecture: str = "x86_64"
    """The architecture that this machine builds without emulation."""
    delete_data: bool = False

    @property
    def results_bucket(self) -> str:
        """The results bucket's name in the template."""
        return f"{self.stack}-results-{ACCOUNT}-{self.region}"

    @property
    def image_bucket(self) -> str:
        """The image bucket's name in the template, if the template creates one."""
        return f"{self.stack}-images-{ACCOUNT}-{self.region}"


@dataclass(frozen=True, slots=True)
class Step:
    """One command and its purpose."""

    purpose: str
    command: tuple[str, ...]
    input_from: tuple[str, ...] | None = None
    """A command whose output this one reads, as through a pipe."""
    skip_if: tuple[str, ...] | None = None
    """A command that succeeds if this step is done already, as before `||`."""

    def __str__(self) -> str:
        """Return the shell command, with its purpose as a comment before it."""
        line = _line(self.command)
        if self.input_from:
            line = f"{_line(self.input_from)} | {line}"
        if self.skip_if:
            line = f"{_line(self.skip_if)} || {line}"
        return f"# {self.purpose}\n{line}"


def plan_deploy(options: Options) -> list[Step]:
    """Return the steps of a deploy: first those that only run here, then those that change AWS."""
    digest = "built-in" if options.model is None else bundle_digest(options.model)
    lambda_architecture = _parameter(options.parameters, "LambdaArchitecture") or "arm64"
    batch, platform_name = _ARCHITECTURES[options.image_architecture]
    tag = image_tag(ROOT)
    suffix = "amazonaws.com.cn" if options.region.startswith("cn-") else "amazonaws.com"
    registry = f"{ACCOUNT}.dkr.ecr.{options.region}.{suffix}"
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
                *(("--fast",) if _parameter(options.parameters, "Fast") else ()),
                *("--architecture", lambda_architecture, *model, "--output", "build/lambda.zip"),
            ),
        ),
        Step(
            "build the batch job's image",
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
            "log Docker in to the stack's registry",
            ("docker", "login", "--username", "AWS", "--password-stdin", registry),
            input_from=("aws", "ecr", "get-login-password", "--region", options.region),
        ),
        Step(
            "push the image, unless the registry has one with this content",
            ("docker", "push", image),
            skip_if=(
                *("aws", "ecr", "describe-images", "--region", options.region),
                *("--repository-name", f"{options.stack}-bulk", "--image-ids", f"imageTag={tag}"),
            ),
        ),
    ]
    if _parameter(options.parameters, "Bulk") == "none":
        steps = [step for step in steps if "docker" not in step.command]
    return steps + ([] if options.model is None else plan_upload_model(options))


def plan_upload_model(options: Options) -> list[Step]:
    """Return the step that uploads a bundle, which no job or function uses yet."""
    assert options.model is not None  # noqa: S101 (the parser requires it)
    bucket = _parameter(options.parameters, "ResultsBucketName") or options.results_bucket
    target = f"s3://{bucket}/models/{bundle_digest(options.model)}/"
    return [
        Step(
            "upload the model to the place where the batch job reads it",
            (
                *("aws", "s3", "sync", str(options.model), target),
                *("--region", options.region, "--no-progress"),
            ),
        )
    ]


def plan_destroy(options: Options) -> list[Step]:
    """Return the steps that delete the stack; pictures and results stay unless `delete_data`."""
    region = ("--region", options.region)
    delete = Step(
        "delete the stack, its images and its logs",
        ("sam", "delete", "--stack-name", options.stack, *region, "--no-prompts"),
    )
    if not options.delete_data:
        return [delete]
    buckets = []
    if _parameter(options.parameters, "ResultsBucketName") in {None, options.results_bucket}:
        buckets.append(options.results_bucket)
    if _parameter(options.parameters, "ImageBucketName") is None:
        buckets.insert(0, options.image_bucket)
    # The list never includes a bucket that the stack did not create.
    return [delete] + [
        Step(
            "delete the bucket with every version of every object",
            (sys.executable, "infra/empty_bucket.py", bucket, *region, "--delete"),
        )
        for bucket in buckets
    ]


def plan_take_up(options: Options, account: str) -> tuple[Options, list[Step]]:
    """Return `options` with the buckets that an earlier stack of this name left, and their steps.

    Deleting a stack keeps its buckets, and another stack cannot create them again. Asks AWS.
    """
    found, steps = list(options.parameters), []
    for parameter, logical, name in (
        ("ResultsBucketName", "ResultsBucket", options.results_bucket),
        ("ImageBucketName", "ImageBucket", options.image_bucket),
    ):
        bucket = name.replace(ACCOUNT, account)
        region = ("--region", options.region)
        if _parameter(options.parameters, parameter) is not None or not _succeeds(
            ("aws", "s3api", "head-bucket", "--bucket", bucket, *region)
        ):
            continue
        if _succeeds(
            (
                *("aws", "cloudformation", "describe-stack-resource", *region, "--stack-name"),
                *(options.stack, "--logical-resource-id", logical),
            )
        ):
            continue
        found.append(f"{parameter}={bucket}")
        if parameter == "ImageBucketName":
            steps.append(
                Step(
                    "let the bucket that an earlier stack left send its events to EventBridge",
                    (
                        *("aws", "s3api", "put-bucket-notification-configuration", *region),
                        *("--bucket", bucket, "--notification-configuration"),
                        '{"EventBridgeConfiguration": {}}',
                    ),
                )
            )
    return replace(options, parameters=tuple(found)), steps


def shown_values(options: Options) -> str:
    """Return every parameter's final value as comments; secrets are not shown."""
    given = dict(one.partition("=")[::2] for one in options.parameters)
    lines = [
        "# the template's parameters; ModelDigest and those of the image follow from the build"
    ]
    for name, one in read_declarations().items():
        value = "(given)" if one.is_secret and given.get(name) else given.get(name, one.default)
        lines.append(f"#   {name}={value}")
    return "\n".join(lines)


def bundle_digest(folder: Path) -> str:
    """Return the digest of the bundle in `folder`. Exits if there is none."""
    try:
        document = json.loads((folder / "assets.extra" / "bundle.json").read_bytes())
        return str(document["digest"])
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"deploy: {folder} is no model bundle ({error}); MODEL must be a bundle's folder")


def image_tag(root: Path) -> str:
    """Return a tag made of the image's content: the same sources give the same tag."""
    content = hashlib.sha256()
    for part in _IMAGE_PARTS:
        for file in _files(root / part):
            content.update(file.relative_to(root).as_posix().encode() + b"\0")
            content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:16]


def account_number() -> str:
    """Return the number of the credentials' account. Exits if there are none."""
    return _output(("aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"))


def run(steps: Sequence[Step], account: str) -> None:
    """Print and run `steps` one after the other. Exits at the first that fails."""
    for step in steps:
        print(f"\n{step}", flush=True)
        if step.skip_if is not None and _succeeds(step.skip_if):
            continue
        command = [word.replace(ACCOUNT, account) for word in _installed(step.command)]
        stdin = None if step.input_from is None else _output(step.input_from)
        done = subprocess.run(command, cwd=ROOT, input=stdin, text=True, check=False)
        if done.returncode:
            sys.exit(f"deploy: this step failed with code {done.returncode}; fix it and run again")


_TEMPLATE: Final = "infra/template.yaml"


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def _override(parameter: str) -> str:
    """Return `Name=value` quoted for sam, which splits unquoted values at spaces."""
    name, _, value = parameter.partition("=")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'


def _parameter(parameters: Sequence[str], name: str) -> str | None:
    values = [one.partition("=")[2] for one in parameters if one.startswith(f"{name}=")]
    return values[-1] if values and values[-1] else None


def _installed(command: Sequence[str]) -> list[str]:
    """Return `command`, run by uv if its program is not installed."""
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
    # A secret is passed on, and not shown.
    return re.sub(r'(HttpToken=")[^"]*', r"\1(hidden)", " ".join(map(_quoted, command)))


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
    args = parser.parse_args(arguments)
    if not args.region:
        parser.error("name the region: REGION=eu-west-1, or set AWS_REGION")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,28}", args.stack):
        parser.error(f"the stack's name {args.stack!r} is part of its buckets' names: a-z, 0-9, -")
    if args.action == "upload-model" and args.model is None:
        parser.error("upload-model needs --model, a bundle's folder")
    for one in args.parameters:
        if not re.fullmatch(r"[A-Za-z]+=.*", one, re.DOTALL):
            parser.error(f"{one!r} is no parameter; write it as Name=value")
    parameters = tuple(re.sub(r"^BulkJob=", "Bulk=", one) for one in args.parameters)
    try:
        check_parameters(args.stack, args.region, parameters)
    except ParameterError as error:
        parser.error(str(error))
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    return args, Options(
        region=args.region,
        stack=args.stack,
        model=args.model,
        parameters=parameters,
        image_architecture=machine,
        delete_data=args.delete_data,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the steps and, unless it is a dry run, run them."""
    args, options = _parse(arguments)
    plans = {"deploy": plan_deploy, "upload-model": plan_upload_model, "destroy": plan_destroy}
    if args.dry_run:
        if args.action == "deploy":
            print(f"{shown_values(options)}\n")
        print("\n\n".join(map(str, plans[args.action](options))))
        return
    account = account_number()
    first: list[Step] = []
    if args.action == "deploy":
        options, first = plan_take_up(options, account)
    run([*first, *plans[args.action](options)], account)


if __name__ == "__main__":
    main()
