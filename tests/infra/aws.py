"""Creates the template as a stack in moto.

moto's CloudFormation supports most resource types. The others are resolved here, from the same
template and parameters, and created with their service's API.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3
from botocore.config import Config

from tests.infra.resolved import ACCOUNT, REGION, STACK, Template, read_template

_NOT_BY_STACK: Final = frozenset(
    {
        "AWS::Budgets::Budget",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Lambda::EventSourceMapping",  # moto's would empty the queue
        "AWS::Lambda::Permission",
        "AWS::Lambda::Url",
        "AWS::S3::BucketPolicy",  # moto ignores the condition of a denial
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::Schedule",
    }
)


# On a busy machine moto takes more than botocore's minute for a stack; a second one is an error.
_ONCE: Final = Config(read_timeout=280, retries={"total_max_attempts": 1})
# moto's EC2 would make 1,291 images, which takes it two seconds; the stack uses none.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"


@dataclass(frozen=True)
class Stack:
    """A stack in moto, and clients for it."""

    template: Template
    endpoint: str

    def variant(self, **parameters: str) -> Template:
        """Return the template with other parameters and the existing resources."""
        other = read_template(**parameters)
        return Template(other.document, other.parameters, self.template.physical)

    def client(self, service: str) -> Any:
        """Return a client of the server with the stack."""
        return make_client(service, self.endpoint)

    def policies(self, role: str, **parameters: str) -> list[dict[str, Any]]:
        """Return all statements of a role, with the names of existing resources."""
        attached = self.client("iam").list_attached_role_policies(
            RoleName=self.template.physical[role]
        )
        assert [] == attached["AttachedPolicies"]
        own = self.variant(**parameters).properties(role)["Policies"]
        return [one for policy in own for one in policy["PolicyDocument"]["Statement"]]


def make_client(service: str, endpoint: str) -> Any:
    """Return a client of moto's server at `endpoint`."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=_ONCE,
    )


def create_stack(endpoint: str, package: bytes, **parameters: str) -> Stack:
    """Create the template's resources on moto's server at `endpoint`; `package` is the zip."""
    _prepare_account(endpoint, package)
    template = read_template(**parameters)
    physical = _create_by_cloudformation(endpoint, template)
    stack = Stack(Template(template.document, template.parameters, physical), endpoint)
    _create_the_rest(stack, physical)
    return stack


def _prepare_account(endpoint: str, package: bytes) -> None:
    """Create what exists in an account, or `sam deploy` creates, before the stack."""
    where = {"LocationConstraint": REGION}
    make_client("s3", endpoint).create_bucket(Bucket="code", CreateBucketConfiguration=where)
    make_client("s3", endpoint).put_object(Bucket="code", Key="lambda.zip", Body=package)
    make_client("iam", endpoint).create_service_linked_role(AWSServiceName="batch.amazonaws.com")


def _create_by_cloudformation(endpoint: str, template: Template) -> dict[str, str]:
    """Create the resources that moto's CloudFormation supports; return their outputs by name."""
    resources = {
        name: {key: template.present(one) for key, one in resource.items() if key != "DependsOn"}
        for name, resource in template.resources().items()
        if resource["Type"] not in _NOT_BY_STACK
    }
    # In AWS the service-linked role is implied; moto requires it.
    resources["BulkCompute"]["Properties"]["ServiceRole"] = (
        f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForbatch"
    )
    wanted: dict[str, Any] = {name: {"Ref": name} for name in resources}
    for path in sorted(set(_attributes(template.document["Resources"]))):
        if path.partition(".")[0] in resources:
            wanted[path] = {"Fn::GetAtt": path.split(".")}
    ids = {f"Out{number}": path for number, path in enumerate(wanted)}
    body = {
        **template.document,
        "Resources": resources,
        "Outputs": {key: {"Value": wanted[path]} for key, path in ids.items()},
    }
    del body["Rules"]
    client = make_client("cloudformation", endpoint)
    client.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(body),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in template.parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    (described,) = client.describe_stacks(StackName=STACK)["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    return {ids[out["OutputKey"]]: out["OutputValue"] for out in described["Outputs"]}


def _attributes(value: Any) -> list[str]:
    """Return every `Name.Attribute` that the template uses."""
    if isinstance(value, list):
        return [path for item in value for path in _attributes(item)]
    if not isinstance(value, dict):
        return []
    paths = []
    if "Fn::GetAtt" in value:
        path = value["Fn::GetAtt"]
        paths.append(path if isinstance(path, str) else ".".join(path))
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        paths.extend(re.findall(r"\$\{(\w+\.\w+)\}", text))
    return paths + [path for item in value.values() for path in _attributes(item)]


def _create_the_rest(stack: Stack, physical: dict[str, str]) -> None:
    """Create, with their services' APIs, the resources that moto's CloudFormation does not support.

    Adds their names to `physical`, for the resources that refer to them.
    """
    for kind, create in _CREATORS.items():
        for name in stack.template.resources(kind):
            create(stack, name, stack.template.properties(name), physical)


def _queue_policy(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    del name, physical
    for queue in own["Queues"]:
        attributes = {"Policy": json.dumps(own["PolicyDocument"])}
        stack.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=attributes)


def _topic_policy(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    del name, physical
    for topic in own["Topics"]:
        stack.client("sns").set_topic_attributes(
            TopicArn=topic,
            AttributeName="Policy",
            AttributeValue=json.dumps(own["PolicyDocument"]),
        )


def _subscription(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    del name, physical
    stack.client("sns").subscribe(**own)


def _notifications(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    wanted = own.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
    if wanted:
        stack.client("s3").put_bucket_notification_configuration(
            Bucket=physical[name],
            NotificationConfiguration={"QueueConfigurations": list(map(_notification, wanted))},
        )


def _url(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    made = stack.client("lambda").create_function_url_config(
        FunctionName=own["TargetFunctionArn"], AuthType=own["AuthType"]
    )
    physical[f"{name}.FunctionUrl"] = made["FunctionUrl"]


def _schedule(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    del name, physical
    stack.client("scheduler").create_schedule(**own)


def _alarm(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    own["Threshold"] = float(own["Threshold"])
    own["EvaluationPeriods"] = int(own["EvaluationPeriods"])
    stack.client("cloudwatch").put_metric_alarm(AlarmName=f"{STACK}-{name}", **own)
    physical[f"{name}.Arn"] = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{STACK}-{name}"


def _dashboard(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    del name, physical
    stack.client("cloudwatch").put_dashboard(**own)


def _budget(stack: Stack, name: str, own: dict[str, Any], physical: dict[str, str]) -> None:
    del name, physical
    stack.client("budgets").create_budget(AccountId=ACCOUNT, **own)


_CREATORS: Final[dict[str, Callable[[Stack, str, dict[str, Any], dict[str, str]], None]]] = {
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::S3::Bucket": _notifications,
    "AWS::Lambda::Url": _url,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Budgets::Budget": _budget,
}


def _notification(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return CloudFormation's queue configuration in the form of S3's API."""
    own = {"QueueArn": wanted["Queue"], "Events": [wanted["Event"]]}
    if "Filter" in wanted:
        own["Filter"] = {"Key": {"FilterRules": wanted["Filter"]["S3Key"]["Rules"]}}
    return own
