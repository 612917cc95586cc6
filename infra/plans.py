"""The steps that deploy a stack, upload a model and delete a stack, as data."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.steps import ACCOUNT, ROOT, Step

_TEMPLATE: Final = "infra/template.yaml"
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
# The template's engines to the extras that install them with CUDA.
_CUDA_EXTRAS: Final = {"tensorflow": "tensorflow-cuda", "onnxruntime": "onnx-cuda"}
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

    def value(self, name: str) -> str | None:
        """Return the value of a parameter; None if it is not given, or empty."""
        values = [one.partition("=")[2] for one in self.parameters if one.startswith(f"{name}=")]
        return values[-1] if values and values[-1] else None


def plan_deploy(options: Options) -> list[Step]:
    """Return the steps of a deploy: first those that only run here, then those that change AWS."""
    digest = "built-in" if options.model is None else bundle_digest(options.model)
    lambda_architecture = options.value("LambdaArchitecture") or "arm64"
    batch, platform_name = _ARCHITECTURES[options.image_architecture]
    extras = _image_extras(options)
    tag = image_tag(ROOT, extras)
    suffix = "amazonaws.com.cn" if options.region.startswith("cn-") else "amazonaws.com"
    registry = f"{ACCOUNT}.dkr.ecr.{options.region}.{suffix}"
    image = f"{registry}/{options.stack}-bulk:{tag}"
    model = () if options.model is None else ("--model", str(options.model))
    parameters = (
        f"ModelDigest={digest}",
        f"BulkImageTag={tag}",
        f"BulkArchitecture={batch}",
        f"Deployment={_deployment(tag, digest, options.parameters)}",
        *options.parameters,
    )
    steps = [
        Step(
            "build the function's package",
            (
                *(sys.executable, "infra/build_lambda_zip.py"),
                *(("--fast",) if options.value("Fast") else ()),
                *("--architecture", lambda_architecture, *model, "--output", "build/lambda.zip"),
            ),
        ),
        Step(
            "build the batch job's image",
            (
                *("docker", "build", "--platform", platform_name),
                *(("--build-arg", f"EXTRAS={extras}") if extras else ()),
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
    if options.value("Bulk") == "none":
        steps = [step for step in steps if "docker" not in step.command]
    return steps + ([] if options.model is None else plan_upload_model(options))


def plan_upload_model(options: Options) -> list[Step]:
    """Return the step that uploads a bundle, which no job or function uses yet."""
    assert options.model is not None  # noqa: S101 (the parser requires it)
    bucket = options.value("ResultsBucketName") or options.results_bucket
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
    if options.value("ResultsBucketName") in {None, options.results_bucket}:
        buckets.append(options.results_bucket)
    if options.value("ImageBucketName") is None:
        buckets.insert(0, options.image_bucket)
    # The list never includes a bucket that the stack did not create.
    return [delete] + [
        Step(
            "delete the bucket with every version of every object",
            (sys.executable, "infra/empty_bucket.py", bucket, *region, "--delete"),
        )
        for bucket in buckets
    ]


def bundle_digest(folder: Path) -> str:
    """Return the digest of the bundle in `folder`. Exits if there is none."""
    try:
        document = json.loads((folder / "assets.extra" / "bundle.json").read_bytes())
        return str(document["digest"])
    except (OSError, ValueError, KeyError):
        hint = ", the one that this file names" if folder.suffix == ".json" else ""
        sys.exit(f"deploy: {folder} is no model bundle; MODEL is a bundle's folder{hint}")


def _image_extras(options: Options) -> str:
    """Return the image's extras where a GPU computes; empty for those of the Dockerfile."""
    if options.value("BulkGpuInstances") is None:
        return ""
    return "beam " + _CUDA_EXTRAS[options.value("BulkGpuEngine") or "tensorflow"]


def image_tag(root: Path, extras: str = "") -> str:
    """Return a tag made of the image's content: the same sources and extras give the same tag."""
    content = hashlib.sha256(extras.encode())
    for part in _IMAGE_PARTS:
        for file in _files(root / part):
            content.update(file.relative_to(root).as_posix().encode() + b"\0")
            content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:16]


def _deployment(tag: str, digest: str, parameters: Sequence[str]) -> str:
    """Return a name made of everything that decides the function: SnapStart's version has it.

    Whoever may read the stack sees it. HttpToken is among the parameters, so the hash is a slow
    one: nobody can try a list of likely tokens against it.
    """
    text = "\0".join((tag, digest, *sorted(parameters)))
    return hashlib.scrypt(text.encode(), salt=tag.encode(), n=2**14, r=8, p=1, dklen=8).hex()


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
