"""Tests the policies against a table of requests."""

import json
import re
from typing import Any, Final

import pytest

from seefood.errors import UsageError
from seefood.results.announced import KEPT
from seefood.results.files import ANNOUNCED
from seefood_lambda.settings import read_config
from tests.infra.aws import Stack
from tests.infra.iam import Request, is_allowed
from tests.infra.resolved import ACCOUNT, REGION, Template

_IMAGES: Final = f"arn:aws:s3:::seefood-images-{ACCOUNT}-{REGION}"
_RESULTS: Final = f"arn:aws:s3:::seefood-results-{ACCOUNT}-{REGION}"
_ROLES: Final = ("ClassifierRole", "BulkRole", "BulkExecutionRole", "ScheduleRole", "BackfillRole")

# Role, action, resource (with @ a name in the template), whether it is allowed.
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
    ("BackfillRole", "lambda:InvokeFunction", "@Classifier.Arn", True),
    ("BackfillRole", "lambda:InvokeFunction", "arn:aws:lambda:x:1:function:other", False),
    ("BackfillRole", "s3:GetObject", f"{_RESULTS}/backfill/manifest.csv", True),
    ("BackfillRole", "s3:PutObject", f"{_RESULTS}/backfill/job-1/report.csv", True),
    ("BackfillRole", "s3:PutObject", f"{_RESULTS}/uploads/digest=0/a.json", False),
    ("BackfillRole", "s3:GetObject", f"{_IMAGES}/a/b.jpg", False),
]


@pytest.fixture(scope="module")
def policies(stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """The statements of each role in a stack that tags uploads."""
    return {role: stack.policies(role, LabelTag="label") for role in _ROLES}


def _arn(stack: Stack, name: str) -> str:
    """Return the ARN of a resource in the table."""
    if not name.startswith("@"):
        return name
    if name.endswith(".Stream"):
        group = stack.template.physical[name[1:].removesuffix(".Stream")]
        return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:1"
    return stack.template.physical[name[1:]]


@pytest.mark.parametrize(("role", "action", "resource", "allowed"), _TABLE)
def test_a_role_has_only_the_permissions_it_needs(
    stack: Stack,
    policies: dict[str, list[dict[str, Any]]],
    *,
    role: str,
    action: str,
    resource: str,
    allowed: bool,
) -> None:
    """The policies of each role decide as the table says."""
    request = Request(action, _arn(stack, resource))

    assert allowed == is_allowed(policies[role], request)


def test_no_role_has_an_avoidable_wildcard(
    policies: dict[str, list[dict[str, Any]]],
) -> None:
    """No action has one; resources only for keys, log streams and the action without resources."""
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
        ("BackfillRole", "batchoperations.s3.amazonaws.com"),
    ],
)
def test_only_its_own_service_may_assume_a_role(stack: Stack, role: str, service: str) -> None:
    """No other service, and none on behalf of another account."""
    trust = stack.template.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    statements = [{**one, "Resource": "*"} for one in trust]
    own = {"aws:SourceAccount": ACCOUNT}

    assert is_allowed(statements, Request("sts:AssumeRole", "*", service, own))
    assert not is_allowed(statements, Request("sts:AssumeRole", "*", "ec2.amazonaws.com", own))
    if service != "lambda.amazonaws.com":  # Lambda sends no source account
        other = {"aws:SourceAccount": "999999999999"}
        assert not is_allowed(statements, Request("sts:AssumeRole", "*", service, other))


def _queue(template: Template) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template.properties("UploadQueuePolicy")["PolicyDocument"][
        "Statement"
    ]
    return statements


def _send(template: Template, principal: str, source: str, account: str = ACCOUNT) -> bool:
    """Return whether `principal` may send a message to the queue for `source`."""
    context = {
        "aws:SourceArn": source,
        "aws:SourceAccount": account,
        "aws:SecureTransport": "true",
    }
    queue = template.physical["UploadQueue.Arn"]
    return is_allowed(_queue(template), Request("sqs:SendMessage", queue, principal, context))


def test_only_the_stacks_bucket_may_send_to_the_queue(stack: Stack) -> None:
    """No other bucket, account or service, and none without TLS."""
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


def test_with_an_existing_bucket_only_its_rule_may_send_to_the_queue(stack: Stack) -> None:
    """Uploads come through EventBridge, and the policies name that bucket and prefix."""
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


def test_every_rule_that_sends_has_dead_letters(stack: Stack) -> None:
    """An event that cannot be delivered is kept, in a queue that the rule may send to."""
    template = stack.variant(ImageBucketName="my-photos")
    policy = template.properties("DeadLettersPolicy")["PolicyDocument"]["Statement"]
    sending = 0
    for name in template.resources("AWS::Events::Rule"):
        rule = template.properties(name)
        source = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule['Name']}"
        context = {"aws:SourceArn": source, "aws:SecureTransport": "true"}
        for target in rule.get("Targets", ()):
            queue = target["DeadLetterConfig"]["Arn"]
            sending += 1
            for principal, allowed in (("events.amazonaws.com", True), ("s3.amazonaws.com", False)):
                request = Request("sqs:SendMessage", queue, principal, context)
                assert allowed == is_allowed(policy, request)

    assert 2 == sending


def test_several_prefixes_and_suffixes_reach_every_part(stack: Stack) -> None:
    """Notifications, the rule, both roles, the function, and the batch job with its sources."""
    given = {"ImagePrefix": "in/,my phone/", "ImageSuffix": ".jpg,.heic"}
    own = stack.variant(**given, RemovedPictures="delete")
    other = stack.variant(**given, ImageBucketName="my-photos")
    bucket = own.physical["ImageBucket"]

    entries = own.properties("ImageBucket")["NotificationConfiguration"]["QueueConfigurations"]
    told = [(one["Event"], one["Filter"]["S3Key"]["Rules"][0]["Value"]) for one in entries]
    events = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:Completed")
    assert [(event, key) for event in events for key in ("in/", "my phone/")] == sorted(told)
    pattern = other.properties("UploadRule")["EventPattern"]["detail"]["object"]
    assert {"key": [{"prefix": "in/"}, {"prefix": "my phone/"}]} == pattern

    variables = own.properties("Classifier")["Environment"]["Variables"]
    assert f"s3://{bucket}/in/,s3://{bucket}/my phone/" == variables["SEEFOOD_WATCHED"]
    config = read_config(variables)
    assert (".jpg", ".heic") == config.suffixes
    with pytest.raises(UsageError, match="start it again"):
        read_config({**variables, "SEEFOOD_RESULTS": f"s3://{bucket}/my phone/x"})

    job = own.properties("BulkJob")
    container = job["ContainerProperties"]
    assert ["Ref::source", "Ref::source2", "--output"] == container["Command"][1:4]
    assert (f"s3://{bucket}/in/", f"s3://{bucket}/my phone/") == (
        job["Parameters"]["source"],
        job["Parameters"]["source2"],
    )
    assert {"Name": "SEEFOOD_CLASSIFY_INCLUDE", "Value": "*.jpg *.heic"} in container["Environment"]
    for role in ("ClassifierRole", "BulkRole"):
        policy = own.properties(role)["Policies"][0]["PolicyDocument"]["Statement"]
        for key, allowed in (("in/a.jpg", True), ("my phone/a.jpg", True), ("a.jpg", False)):
            request = Request("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
            assert allowed == is_allowed(policy, request), (role, key)


def test_with_snapstart_everything_calls_the_published_version(stack: Stack) -> None:
    """Another deployment publishes another version, of a function that differs."""
    plain, snapped = (
        stack.variant(),
        stack.variant(SnapStart="yes", Deployment="a1", HttpAccess="public"),
    )
    alias = "arn:aws:lambda:eu-west-1:123456789012:function:seefood-classifier:live"
    names = {"ClassifierAlias": alias, "ClassifierVersion.Version": "7"}
    snapped = Template(snapped.document, snapped.parameters, {**snapped.physical, **names})

    assert "SnapStart" not in plain.properties("Classifier")
    assert not {"ClassifierAlias", "ClassifierVersion"} & set(plain.resources())
    assert plain.physical["Classifier"] == plain.properties("ClassifierUploads")["FunctionName"]
    assert {"ApplyOn": "PublishedVersions"} == snapped.properties("Classifier")["SnapStart"]
    assert "7" == snapped.properties("ClassifierAlias")["FunctionVersion"]
    assert "live" == snapped.properties("ClassifierUrl")["Qualifier"]
    for name in ("ClassifierUploads", "PublicUrlPermission", "PublicInvokePermission"):
        assert alias == snapped.properties(name)["FunctionName"]
    policy = snapped.properties("BackfillRole")["Policies"][0]["PolicyDocument"]["Statement"]
    assert is_allowed(policy, Request("lambda:InvokeFunction", alias))
    variables = snapped.properties("Classifier")["Environment"]["Variables"]
    description = snapped.properties("ClassifierVersion")["Description"]
    assert ("a1", "a1") == (variables["SEEFOOD_DEPLOYMENT"], description)


@pytest.mark.parametrize(
    ("access", "authorisation", "permissions"),
    [("iam", "AWS_IAM", 0), ("token", "NONE", 2), ("public", "NONE", 2), ("none", None, 0)],
)
def test_the_address_is_public_by_parameter_only(
    stack: Stack, access: str, authorisation: str | None, permissions: int
) -> None:
    """IAM protects it by default; `none` omits it; the others add two permissions."""
    other = stack.variant(HttpAccess=access)
    urls = [other.properties(name)["AuthType"] for name in other.resources("AWS::Lambda::Url")]

    assert ([authorisation] if authorisation else []) == urls
    assert permissions == len(other.resources("AWS::Lambda::Permission"))


def test_without_a_tag_the_function_may_not_tag(stack: Stack) -> None:
    """The permission depends on the parameter LabelTag."""
    statements = stack.policies("ClassifierRole")

    assert not is_allowed(statements, Request("s3:PutObjectTagging", f"{_IMAGES}/a.jpg"))


def test_the_marks_of_sent_events_are_the_functions_and_expire(stack: Stack) -> None:
    """It may delete one only where it may delete the row; the stack's own bucket lets them go."""
    mark = f"{_RESULTS}/announced/digest=0/a.final"
    for removed in ("keep", "delete"):
        given = {"EventBusName": "default", "RemovedPictures": removed}
        statements = stack.policies("ClassifierRole", **given)
        assert is_allowed(statements, Request("s3:GetObject", mark))
        assert is_allowed(statements, Request("s3:PutObject", mark))
        assert (removed == "delete") == is_allowed(statements, Request("s3:DeleteObject", mark))
    assert not is_allowed(stack.policies("ClassifierRole"), Request("s3:PutObject", mark))
    rules = stack.template.properties("ResultsBucket")["LifecycleConfiguration"]["Rules"]
    expired = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert {f"{ANNOUNCED}/": KEPT.days} == expired


def _many(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]
