"""Checks the stack's parameters against the template before anything is built."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]  # (as below)

from infra.parameter_values import fault_of, fault_of_number

TEMPLATE: Final = Path(__file__).parent / "template.yaml"
_MAX_BUCKET_CHARACTERS: Final = 63
# Regions without Lambda function URLs (AWS's documentation of function URLs, 2026).
_WITHOUT_URLS: Final = re.compile(
    r"ap-south-2|ap-southeast-[457]|ca-west-1|eu-central-2|eu-south-2|il-central-1|me-central-1|"
    r"mx-central-1|ap-east-2|cn-.+|us-gov-.+|us-iso.*|eusc-.+"
)
_REGION: Final = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
# Fargate's memory in MB for each number of processors, within what the template offers.
_FARGATE: Final = {1: (2048, 8192), 2: (4096, 16384), 4: (8192, 32768), 8: (16384, 61440),
                   16: (32768, 122880)}  # fmt: skip


# AMD's GPUs, and Graviton or Grace processors.
_WITHOUT_CUDA: Final = ("g4ad.", "g5g.", "p6e-")


class ParameterError(ValueError):
    """A value that the template, AWS, or the rest of the stack does not take."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A parameter as the template declares it."""

    name: str
    default: str
    rules: Mapping[str, Any]

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be shown."""
        return bool(self.rules.get("NoEcho"))


def read_declarations() -> dict[str, Declaration]:
    """Return the template's parameters by name."""
    document = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    return {
        name: Declaration(name, str(rules.get("Default", "")), rules)
        for name, rules in document["Parameters"].items()
    }


def split_parameters(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the `Name=value` of texts with one or more each; values may have spaces or quotes.

    A value ends where the name of another parameter follows, or at the quotes around it. `BulkJob`
    is another name of `Bulk`.
    """
    start = re.compile(rf"(?:BulkJob|{'|'.join(read_declarations())})=")
    parameters: list[str] = []
    for text in texts:
        try:
            words = shlex.split(text) if {"'", '"'} & set(text) else text.split(" ")
        except ValueError:  # one quote, which is part of a value
            words = text.split(" ")
        first = len(parameters)
        for word in words:
            if len(parameters) == first or start.match(word):
                parameters.append(word)
            else:
                parameters[-1] += f" {word}"
    parameters = [one.strip(" ") for one in parameters if one.strip(" ")]
    return tuple(re.sub(r"^BulkJob=", "Bulk=", one) for one in parameters)


def check_parameters(stack: str, region: str, parameters: Sequence[str]) -> None:
    """Raise `ParameterError` for the first of `Name=value` that would fail, or make no sense."""
    if not _REGION.fullmatch(region):
        raise ParameterError(f"{region!r} is no region; name one such as eu-west-1")
    declared = read_declarations()
    values = {name: one.default for name, one in declared.items()}
    for one in parameters:
        name, _, value = one.partition("=")
        if name not in declared:
            raise ParameterError(
                f"{name!r} is no parameter of the template; it has {', '.join(sorted(declared))}"
            )
        _check_value(declared[name], value)
        values[name] = value
    _check_names(stack, region, values)
    for check in _CHECKS:
        check(region, values)


def _check_value(declared: Declaration, value: str) -> None:
    rules, name = declared.rules, declared.name
    shown = "its value" if declared.is_secret else repr(value)
    if any(ord(character) < 32 for character in value):
        raise ParameterError(f"{name}: {shown} has a control character; remove it")
    allowed = [str(one) for one in rules.get("AllowedValues", ())]
    if allowed and value not in allowed:
        raise ParameterError(f"{name}: {shown} is none of {', '.join(allowed)}")
    if rules["Type"] == "Number":
        # A share has a default with a point; money may have cents.
        is_whole = "." not in declared.default and name != "MonthlyBudget"
        if (fault := fault_of_number(value, is_whole=is_whole)) is not None:
            raise ParameterError(f"{name}: {shown} {fault}")
        number, low, high = float(value), rules.get("MinValue", 0), rules.get("MaxValue")
        if number < low or (high is not None and number > high):
            limits = f"at least {low}" if high is None else f"from {low} to {high}"
            raise ParameterError(f"{name}: {shown} must be {limits}")
    pattern = rules.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise ParameterError(f"{name}: {shown} does not have the form {pattern}")
    if len(value) > int(rules.get("MaxLength", len(value))):
        raise ParameterError(f"{name}: {shown} is longer than {rules['MaxLength']} characters")
    if (fault := fault_of(name, value)) is not None:
        raise ParameterError(f"{name}: {shown} {fault}")


def _check_names(stack: str, region: str, values: Mapping[str, str]) -> None:
    for kind, parameter in (("results", "ResultsBucketName"), ("images", "ImageBucketName")):
        length = len(f"{stack}-{kind}-123456789012-{region}")
        if not values[parameter] and length > _MAX_BUCKET_CHARACTERS:
            most = len(stack) - (length - _MAX_BUCKET_CHARACTERS)
            raise ParameterError(
                f"the stack's name {stack!r} makes a bucket's name longer than "
                f"{_MAX_BUCKET_CHARACTERS} characters in {region}; take at most {most}"
            )


def _check_buckets(region: str, values: Mapping[str, str]) -> None:
    del region
    if values["ImageBucketName"] and values["ImageBucketName"] == values["ResultsBucketName"]:
        raise ParameterError(
            "ImageBucketName and ResultsBucketName are the same: each row would be an upload; "
            "take two buckets"
        )


def _check_prefixes(region: str, values: Mapping[str, str]) -> None:
    del region
    prefixes = sorted(values["ImagePrefix"].split(","))
    for one, other in pairwise(prefixes):
        if other.startswith(one):
            raise ParameterError(
                f"ImagePrefix: {other!r} begins with {one!r}, so its pictures would be taken "
                f"twice, which S3 refuses; leave out {other!r}"
            )


def _check_concurrency(region: str, values: Mapping[str, str]) -> None:
    del region
    reserved, queue = int(values["ReservedConcurrency"]), int(values["LambdaConcurrency"])
    if 0 < reserved < queue:
        raise ParameterError(
            f"ReservedConcurrency={reserved} is below LambdaConcurrency={queue}: the queue would "
            "be throttled, and good uploads would end among the dead letters; raise the one or "
            "lower the other"
        )


def _check_budget(region: str, values: Mapping[str, str]) -> None:
    del region
    if float(values["MonthlyBudget"]) and not values["AlarmEmail"]:
        raise ParameterError(
            f"MonthlyBudget={values['MonthlyBudget']} has nobody to tell; give AlarmEmail, too"
        )


def _check_network(region: str, values: Mapping[str, str]) -> None:
    del region
    if bool(values["VpcId"]) != bool(values["SubnetIds"]):
        raise ParameterError("VpcId and SubnetIds belong together; give both or neither")


def _check_fargate(region: str, values: Mapping[str, str]) -> None:
    del region
    if values["BulkGpuInstances"]:
        return
    vcpus, memory = int(values["BulkVcpus"]), int(values["BulkMemory"])
    low, high = _FARGATE[vcpus]
    if not low <= memory <= high:
        raise ParameterError(
            f"BulkMemory={memory} does not fit BulkVcpus={vcpus}; Fargate takes {low} to {high}"
        )


def _check_gpu(region: str, values: Mapping[str, str]) -> None:
    del region
    instances = values["BulkGpuInstances"]
    if not instances:
        return
    if values["BulkArchitecture"] != "X86_64":
        raise ParameterError(
            f"BulkGpuInstances={instances} needs BulkArchitecture=X86_64: the CUDA builds of "
            "TensorFlow and ONNX Runtime are for it alone"
        )
    for one in instances.split(","):
        if one.startswith(_WITHOUT_CUDA):
            raise ParameterError(
                f"BulkGpuInstances: {one} has no NVIDIA GPU, or an ARM processor; take one such as "
                "g6.xlarge"
            )


def _check_http(region: str, values: Mapping[str, str]) -> None:
    access = values["HttpAccess"]
    if access != "none" and _WITHOUT_URLS.fullmatch(region):
        raise ParameterError(
            f"{region} has no Lambda function URLs; set HttpAccess=none, or take another region"
        )
    if (access == "token") != bool(values["HttpToken"]):
        raise ParameterError("HttpAccess=token and HttpToken belong together; give both or neither")


_CHECKS: Final[tuple[Callable[[str, Mapping[str, str]], None], ...]] = (
    _check_buckets,
    _check_prefixes,
    _check_concurrency,
    _check_budget,
    _check_network,
    _check_fargate,
    _check_gpu,
    _check_http,
)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # (PyYAML has no types)
    """Reads CloudFormation's short forms (`!Ref`) as nothing: only the parameters are needed."""


def _nothing(*arguments: object) -> None:
    del arguments


_Loader.add_multi_constructor("!", _nothing)
