"""Finds the buckets that an earlier stack of the same name left, so that a new one uses them.

Deleting a stack, or naming another bucket, keeps the stack's own buckets with their objects, and
CloudFormation cannot create a bucket that exists. So the new stack gets it by its name.
"""

from dataclasses import replace
from typing import Any

import boto3
from botocore.exceptions import ClientError

from infra.plans import Options
from infra.steps import ACCOUNT, Step


def plan_take_up(options: Options, account: str) -> tuple[Options, list[Step]]:
    """Return `options` with the buckets that an earlier stack left, and the steps they need.

    A parameter that is not given keeps the stack's last value. Asks AWS and changes nothing. Raises
    `ClientError` if the credentials may not ask.
    """
    found, steps = options, list[Step]()
    for parameter, logical, name in (
        ("ResultsBucketName", "ResultsBucket", options.results_bucket),
        ("ImageBucketName", "ImageBucket", options.image_bucket),
    ):
        bucket = name.replace(ACCOUNT, account)
        if _wanted(options, parameter) not in {"", bucket} or not _exists(options, bucket):
            continue
        if _is_in_stack(options, logical):
            continue
        others = (one for one in found.parameters if not one.startswith(f"{parameter}="))
        found = replace(found, parameters=(*others, f"{parameter}={bucket}"))
        if parameter == "ImageBucketName":
            steps.append(_send_events(options, bucket))
    return found, steps


def _wanted(options: Options, parameter: str) -> str:
    """Return the value that the stack is going to have."""
    given = [one for one in options.parameters if one.startswith(f"{parameter}=")]
    if given:
        return given[-1].partition("=")[2]
    try:
        (stack,) = _client(options, "cloudformation").describe_stacks(StackName=options.stack)[
            "Stacks"
        ]
    except ClientError as error:
        if _code(error) == "ValidationError":  # there is no such stack
            return ""
        raise
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
    return str(values.get(parameter, ""))


def _exists(options: Options, bucket: str) -> bool:
    try:
        _client(options, "s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if _code(error) in {"404", "NoSuchBucket"}:
            return False
        raise
    return True


def _is_in_stack(options: Options, logical: str) -> bool:
    try:
        found = _client(options, "cloudformation").describe_stack_resource(
            StackName=options.stack, LogicalResourceId=logical
        )
    except ClientError as error:
        if _code(error) == "ValidationError":
            return False
        raise
    return str(found["StackResourceDetail"]["ResourceStatus"]) not in {
        "DELETE_COMPLETE",
        "DELETE_SKIPPED",  # removed from the stack and kept
    }


def _send_events(options: Options, bucket: str) -> Step:
    return Step(
        "let the bucket that an earlier stack left send its events to EventBridge",
        (
            *("aws", "s3api", "put-bucket-notification-configuration"),
            *("--region", options.region, "--bucket", bucket, "--notification-configuration"),
            '{"EventBridgeConfiguration": {}}',
        ),
    )


def _client(options: Options, service: str) -> Any:
    return boto3.client(service, region_name=options.region)  # type: ignore[call-overload]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
