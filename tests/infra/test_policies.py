"""Who may do what: the policies as data, against a table."""

import json
import re
from typing import Any, Final

import pytest

from tests.infra.aws import ACCOUNT, REGION, Stack, Template
from tests.infra.iam import Request, is_allowed

_IMAGES: Final = f"arn:aws:s3:::seefood-images-{ACCOUNT}-{REGION}"
_RESULTS: Final = f"arn:aws:s3:::seefood-results-{ACCOUNT}-{REGION}"
_ROLES: Final = ("ClassifierRole", "BulkRole", "BulkExecutionRole", "ScheduleRole")

# Principal, action, resource (a name of the template where it begins with @), allowed?
_TABLE: Final = [
    ("ClassifierRole", "s3:GetObject", f"{_IMAGES}/a/b.jpg", True),
    ("ClassifierRole", "s3:GetObjectVersion", f"{_IMAGES}/a/b.jpg", True),
    ("ClassifierRole", "s3:PutObjectTagging", f"{_IMAGES}/a/b.jpg", True),
    ("ClassifierRole", "s3:PutObject", f"{_IMAGES}/a/b.jpg", False),
    ("ClassifierRole", "s3:DeleteObject", f"{_IMAGES}/a/b.jpg", False),
    ("ClassifierRole", "s3:ListBucket", _IMAGES, True),
    ("ClassifierRole", "s3:PutObject", f"{_RESULTS}/uploads/digest=0/a.json", True),
    ("ClassifierRole", "s3:PutObject", f"{_RESULTS}/results/digest=0/a.parquet", False),
    ("ClassifierRole", "s3:PutObject", f"{_RESULTS}/models/0/saved_model.pb", False),
    ("ClassifierRole", "s3:DeleteObject", f"{_RESULTS}/uploads/digest=0/a.json", False),
    ("ClassifierRole", "s3:GetObject", "arn:aws:s3:::another/a.jpg", False),
    ("ClassifierRole", "sqs:ReceiveMessage", "@UploadQueue.Arn", True),
    ("ClassifierRole", "sqs:DeleteMessage", "@UploadQueue.Arn", True),
    ("ClassifierRole", "sqs:SendMessage", "@UploadQueue.Arn", False),
    ("ClassifierRole", "sqs:ReceiveMessage", "@UploadDeadLetters.Arn", False),
    ("ClassifierRole", "logs:PutLogEvents", "@ClassifierLogs.Stream", True),
    ("ClassifierRole", "logs:PutLogEvents", "@BulkLogs.Stream", False),
    ("ClassifierRole", "batch:SubmitJob", "@BulkQueue", False),
    ("BulkRole", "s3:ListBucket", _IMAGES, True),
    ("BulkRole", "s3:GetObject", f"{_IMAGES}/a/b.jpg", True),
    ("BulkRole", "s3:PutObject", f"{_IMAGES}/a/b.jpg", False),
    ("BulkRole", "s3:DeleteObject", f"{_IMAGES}/a/b.jpg", False),
    ("BulkRole", "s3:ListBucket", _RESULTS, True),
    ("BulkRole", "s3:PutObject", f"{_RESULTS}/results/digest=0/a.parquet", True),
    ("BulkRole", "s3:PutObject", f"{_RESULTS}/runs/1/summary.json", True),
    ("BulkRole", "s3:DeleteObject", f"{_RESULTS}/runs/leases/0.json", True),
    ("BulkRole", "s3:DeleteObject", f"{_RESULTS}/results/digest=0/a.parquet", True),
    ("BulkRole", "s3:GetObject", f"{_RESULTS}/uploads/digest=0/a.json", True),
    ("BulkRole", "s3:PutObject", f"{_RESULTS}/uploads/digest=0/a.json", False),
    ("BulkRole", "s3:GetObject", f"{_RESULTS}/models/0/saved_model.pb", True),
    ("BulkRole", "s3:PutObject", f"{_RESULTS}/models/0/saved_model.pb", False),
    ("BulkRole", "s3:DeleteObject", f"{_RESULTS}/models/0/saved_model.pb", False),
    ("BulkRole", "s3:DeleteObjectVersion", f"{_RESULTS}/results/digest=0/a.parquet", False),
    ("BulkRole", "s3:PutBucketPolicy", _RESULTS, False),
    ("BulkRole", "iam:PassRole", "@BulkRole.Arn", False),
    ("BulkExecutionRole", "ecr:BatchGetImage", "@BulkRepository.Arn", True),
    ("BulkExecutionRole", "ecr:GetAuthorizationToken", "*", True),
    ("BulkExecutionRole", "ecr:PutImage", "@BulkRepository.Arn", False),
    ("BulkExecutionRole", "ecr:BatchGetImage", "arn:aws:ecr:x:1:repository/other", False),
    ("BulkExecutionRole", "logs:PutLogEvents", "@BulkLogs.Stream", True),
    ("BulkExecutionRole", "s3:GetObject", f"{_IMAGES}/a/b.jpg", False),
    ("ScheduleRole", "batch:SubmitJob", "@BulkQueue", True),
    ("ScheduleRole", "batch:SubmitJob", "@BulkJob", True),
    ("ScheduleRole", "batch:SubmitJob", "arn:aws:batch:x:1:job-definition/other:1", False),
    ("ScheduleRole", "batch:TerminateJob", "@BulkQueue", False),
    ("ScheduleRole", "sqs:SendMessage", "@ScheduleDeadLetters.Arn", True),
    ("ScheduleRole", "sqs:SendMessage", "@UploadQueue.Arn", False),
    ("ScheduleRole", "s3:GetObject", f"{_IMAGES}/a/b.jpg", False),
]


@pytest.fixture(scope="module")
def policies(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """The statements of each role, where uploads are tagged."""
    return {role: stack.policies(role, LabelTag="label") for role in _ROLES}


def _arn(stack: Stack, name: str) -> str:
    """Return what a resource of the table stands for."""
    if not name.startswith("@"):
        return name
    if name.endswith(".Stream"):
        group = stack.template.physical[name[1:].removesuffix(".Stream")]
        return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:1"
    return stack.template.physical[name[1:]]


@pytest.mark.parametrize(("role", "action", "resource", "allowed"), _TABLE)
def test_a_role_may_do_its_work_and_nothing_else(
    stack: Stack,
    policies: dict[str, list[dict[str, Any]]],
    *,
    role: str,
    action: str,
    resource: str,
    allowed: bool,
) -> None:
    """The table holds under the policies of each role, with the names of what exists."""
    request = Request(action, _arn(stack, resource))

    assert allowed == is_allowed(policies[role], request)


def test_no_role_has_a_wildcard_that_could_be_avoided(
    policies: dict[str, list[dict[str, Any]]],
) -> None:
    """No action has one; a resource has one for keys, streams, and the one action without any."""
    for role in _ROLES:
        for statement in policies[role]:
            assert "*" not in json.dumps(statement["Action"]), statement["Sid"]
            for resource in _many(statement["Resource"]):
                keys = re.fullmatch(r"arn:aws:s3:::[^*/]+/[a-z]*/?\*", resource)
                streams = re.fullmatch(r"arn:aws:logs:[^*]+:\*", resource)
                token = "ecr:GetAuthorizationToken" == statement["Action"]
                assert "*" not in resource or keys or streams or token, resource


@pytest.mark.parametrize(
    ("role", "service"),
    [
        ("ClassifierRole", "lambda.amazonaws.com"),
        ("BulkRole", "ecs-tasks.amazonaws.com"),
        ("BulkExecutionRole", "ecs-tasks.amazonaws.com"),
        ("ScheduleRole", "scheduler.amazonaws.com"),
    ],
)
def test_a_role_is_taken_by_its_own_service_only(stack: Stack, role: str, service: str) -> None:
    """Nobody else may assume it, and no service on behalf of another account."""
    trust = stack.template.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    statements = [{**one, "Resource": "*"} for one in trust]
    own = {"aws:SourceAccount": ACCOUNT}

    assert is_allowed(statements, Request("sts:AssumeRole", "*", service, own))
    assert not is_allowed(statements, Request("sts:AssumeRole", "*", "ec2.amazonaws.com", own))
    if service != "lambda.amazonaws.com":  # which sends no source when it assumes a role
        other = {"aws:SourceAccount": "999999999999"}
        assert not is_allowed(statements, Request("sts:AssumeRole", "*", service, other))


def _queue(template: Template) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template.properties("UploadQueuePolicy")["PolicyDocument"][
        "Statement"
    ]
    return statements


def _send(template: Template, principal: str, source: str, account: str = ACCOUNT) -> bool:
    """Return whether `principal` may put a message on the queue for `source`."""
    context = {
        "aws:SourceArn": source,
        "aws:SourceAccount": account,
        "aws:SecureTransport": "true",
    }
    queue = template.physical["UploadQueue.Arn"]
    return is_allowed(_queue(template), Request("sqs:SendMessage", queue, principal, context))


def test_only_the_own_bucket_may_fill_the_queue(stack: Stack) -> None:
    """Another bucket, another account or another service may not, nor anyone without TLS."""
    own = stack.template

    assert _send(own, "s3.amazonaws.com", _IMAGES)
    assert not _send(own, "s3.amazonaws.com", "arn:aws:s3:::another")
    assert not _send(own, "s3.amazonaws.com", _IMAGES, "999999999999")
    assert not _send(own, "events.amazonaws.com", _IMAGES)
    plain = {
        "aws:SourceArn": _IMAGES,
        "aws:SourceAccount": ACCOUNT,
        "aws:SecureTransport": "false",
    }
    queue = own.physical["UploadQueue.Arn"]
    assert not is_allowed(_queue(own), Request("sqs:SendMessage", queue, "s3.amazonaws.com", plain))


def test_with_a_bucket_of_yours_only_its_rule_may_fill_the_queue(stack: Stack) -> None:
    """Then uploads come by EventBridge, and policies name your bucket and prefix."""
    other = stack.variant(ImageBucketName="my-photos", ImagePrefix="in/")
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/seefood-uploads"
    statements = other.properties("BulkRole")["Policies"][0]["PolicyDocument"]["Statement"]

    assert _send(other, "events.amazonaws.com", rule)
    assert not _send(other, "s3.amazonaws.com", "arn:aws:s3:::my-photos")
    assert "ImageBucket" not in other.resources()
    assert ["my-photos"] == other.properties("UploadRule")["EventPattern"]["detail"]["bucket"][
        "name"
    ]
    assert is_allowed(statements, Request("s3:GetObject", "arn:aws:s3:::my-photos/in/a.jpg"))
    assert not is_allowed(statements, Request("s3:GetObject", "arn:aws:s3:::my-photos/a.jpg"))


@pytest.mark.parametrize(
    ("access", "authorisation", "permissions"),
    [("iam", "AWS_IAM", 0), ("public", "NONE", 2), ("none", None, 0)],
)
def test_the_address_is_public_by_parameter_only(
    stack: Stack, access: str, authorisation: str | None, permissions: int
) -> None:
    """IAM guards it by default; `none` leaves it out; `public` says so in two permissions."""
    other = stack.variant(HttpAccess=access)
    urls = [other.properties(name)["AuthType"] for name in other.resources("AWS::Lambda::Url")]

    assert ([authorisation] if authorisation else []) == urls
    assert permissions == len(other.resources("AWS::Lambda::Permission"))


def test_without_a_tag_the_function_may_not_tag(stack: Stack) -> None:
    """A permission that a parameter does not ask for is not given."""
    statements = stack.policies("ClassifierRole")

    assert not is_allowed(statements, Request("s3:PutObjectTagging", f"{_IMAGES}/a.jpg"))


def _many(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]
