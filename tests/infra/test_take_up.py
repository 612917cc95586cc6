"""Deploys, destroys and deploys again in moto, with the template's buckets, queues and rule.

moto's CloudFormation knows no `RetainExceptOnCreate` and no policy when a resource leaves the
template, so the stack gets `Retain` here, and the bucket that leaves it is not empty.
"""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest

from infra.plans import Options
from infra.steps import Step
from infra.take_up import plan_take_up
from tests.conftest import Bucket
from tests.infra.aws import make_client
from tests.infra.resolved import ACCOUNT, REGION, read_template

_KINDS: Final = {"AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Events::Rule"}


@dataclass(frozen=True)
class Account:
    """An account with at most one stack."""

    endpoint: str
    stack: str

    def client(self, service: str) -> Any:
        """Return a client of moto."""
        return make_client(service, self.endpoint)

    def deploy(self, *given: str) -> tuple[str, ...]:
        """Deploy as infra/deploy.py does, and return the parameters of the deployment."""
        options, steps = plan_take_up(Options(REGION, self.stack, parameters=given), ACCOUNT)
        for step in steps:
            self._run(step)
        values = {**self._last(), **dict(one.split("=") for one in options.parameters)}
        change = self._change()
        change(
            StackName=self.stack,
            TemplateBody=json.dumps(_body(values)),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
            ],
        )
        return options.parameters

    def destroy(self) -> None:
        """Delete the stack."""
        self.client("cloudformation").delete_stack(StackName=self.stack)

    def bucket(self, kind: str) -> str:
        """Return the name of the stack's own bucket."""
        return f"{self.stack}-{kind}-{ACCOUNT}-{REGION}"

    def resources(self) -> set[str]:
        """Return the logical names in the stack."""
        found = self.client("cloudformation").list_stack_resources(StackName=self.stack)
        return {one["LogicalResourceId"] for one in found["StackResourceSummaries"]}

    def messages(self) -> int:
        """Return how many messages wait in the queue of uploads."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=self.stack, LogicalResourceId="UploadQueue"
        )
        url = found["StackResourceDetail"]["PhysicalResourceId"]
        return len(self.client("sqs").receive_message(QueueUrl=url).get("Messages", []))

    def _change(self) -> Any:
        client = self.client("cloudformation")
        names = [one["StackName"] for one in client.describe_stacks()["Stacks"]]
        return client.update_stack if self.stack in names else client.create_stack

    def _last(self) -> dict[str, str]:
        for stack in self.client("cloudformation").describe_stacks()["Stacks"]:
            if stack["StackName"] == self.stack:
                return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
        return {}

    def _run(self, step: Step) -> None:
        program, service, operation, *rest = step.command
        options = dict(zip(rest[::2], rest[1::2], strict=True))
        assert ("aws", "s3api", "put-bucket-notification-configuration") == (
            program,
            service,
            operation,
        )
        self.client("s3").put_bucket_notification_configuration(
            Bucket=options["--bucket"],
            NotificationConfiguration=json.loads(options["--notification-configuration"]),
        )


def _body(values: dict[str, str]) -> dict[str, Any]:
    """Return the template with the kinds of resources that this test needs."""
    template = read_template(**values)
    resources = {
        name: {key: value for key, value in one.items() if key not in {"DependsOn", "Metadata"}}
        for name, one in template.resources().items()
        if one["Type"] in _KINDS and not name.startswith("Bulk")
    }
    for one in resources.values():
        one["Properties"].pop("NotificationConfiguration", None)
        if one["Type"] == "AWS::S3::Bucket":
            assert "RetainExceptOnCreate" == one["DeletionPolicy"]
            one["DeletionPolicy"] = "Retain"
    document = {key: template.document[key] for key in ("Parameters", "Conditions")}
    return {**document, "Resources": resources}


@pytest.fixture
def account(s3: Bucket) -> Account:
    """An account without a stack of this name."""
    return Account(str(s3.client.meta.endpoint_url), f"again-{uuid4().hex[:8]}")


def test_a_stack_that_is_deployed_again_takes_up_its_buckets(account: Account) -> None:
    """Deploy, destroy, deploy, deploy: the rows are there, and new pictures reach the queue."""
    s3 = account.client("s3")
    assert () == account.deploy()
    s3.put_object(Bucket=account.bucket("results"), Key="uploads/1.json", Body=b"{}")
    s3.put_object(Bucket=account.bucket("images"), Key="1.jpg", Body=b"1")

    account.destroy()
    again = account.deploy()

    assert {
        f"ResultsBucketName={account.bucket('results')}",
        f"ImageBucketName={account.bucket('images')}",
    } == set(again)
    assert not {"ImageBucket", "ResultsBucket"} & account.resources()
    assert b"{}" == _read(account, "results", "uploads/1.json")
    assert b"1" == _read(account, "images", "1.jpg")
    s3.put_object(Bucket=account.bucket("images"), Key="2.jpg", Body=b"2")
    assert 1 == account.messages()
    assert set(again) == set(account.deploy())


def test_a_stack_goes_to_an_existing_bucket_and_back(account: Account) -> None:
    """A parameter that is left out keeps its value; an empty one means the own bucket."""
    s3, other = account.client("s3"), f"photos-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=other, CreateBucketConfiguration={"LocationConstraint": REGION})
    account.deploy()
    s3.put_object(Bucket=account.bucket("images"), Key="1.jpg", Body=b"1")

    assert (f"ImageBucketName={other}",) == account.deploy(f"ImageBucketName={other}")
    assert () == account.deploy()
    back = account.deploy("ImageBucketName=")

    assert (f"ImageBucketName={account.bucket('images')}",) == back
    assert b"1" == _read(account, "images", "1.jpg")
    s3.put_object(Bucket=account.bucket("images"), Key="2.jpg", Body=b"2")
    assert 1 == account.messages()


def _read(account: Account, kind: str, key: str) -> bytes:
    found = account.client("s3").get_object(Bucket=account.bucket(kind), Key=key)
    return bytes(found["Body"].read())
