"""Runs the stack's programs as AWS does: the Lambda function and Batch's containers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.validate import validate_parameters

from tests.conftest import ROOT
from tests.infra.aws import Stack
from tests.infra.resolved import REGION, Template

# What the Lambda runtime does with an event: import the handler, call it, return its result.
_RUNTIME: Final = """
import json, sys
sys.path.insert(0, "lambda")
import handler

class Context:
    function_name = "classifier"
    aws_request_id = "1"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn"

    def get_remaining_time_in_millis(self):
        return 60_000

result = handler.handler(json.load(sys.stdin), Context())
print("\\nRESULT " + json.dumps(result))
"""


def aws_environment(stack: Stack) -> dict[str, str]:
    """Return the environment variables of each program."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": stack.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
    }


def invoke(
    template: Template, stack: Stack, event: dict[str, Any], bundle: Path
) -> tuple[Any, list[dict[str, Any]]]:
    """Return the handler's result for `event`, and the JSON lines that it wrote."""
    own = template.properties("Classifier")["Environment"]["Variables"]
    environment = {**aws_environment(stack), **own, "SEEFOOD_MODEL": str(bundle)}
    done = subprocess.run(
        [sys.executable, "-c", _RUNTIME],
        input=json.dumps(event),
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr
    log, _, result = done.stdout.rpartition("RESULT ")
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return json.loads(result), lines


def start_container(
    stack: Stack, request: dict[str, Any], output: str, **environment: str
) -> "subprocess.Popen[str]":
    """Start the job definition's command with the request's parameters, as Batch does."""
    (definition,) = stack.client("batch").describe_job_definitions(
        jobDefinitions=[request["JobDefinition"]]
    )["jobDefinitions"]
    values = {**definition["parameters"], **request["Parameters"], "output": output}
    container = definition["containerProperties"]
    command = [
        values[word.removeprefix("Ref::")] if word.startswith("Ref::") else word
        for word in container["command"]
    ]
    own = {one["name"]: one["value"] for one in container["environment"]}
    return subprocess.Popen(
        [sys.executable, "-m", "seefood", *command, "--json"],
        env={**aws_environment(stack), **own, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(child: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the summary that a container printed."""
    out, errors = child.communicate(timeout=120)
    assert 0 == child.returncode, errors
    summary: dict[str, Any] = json.loads(out)
    return summary


def validate_submit_job(request: dict[str, Any]) -> None:
    """Check `request` against the API's model; Scheduler capitalises the field names."""
    model = boto3.client("batch", region_name=REGION).meta.service_model
    fields = {name[0].lower() + name[1:]: value for name, value in request.items()}
    if "arrayProperties" in fields:
        fields["arrayProperties"] = {"size": fields["arrayProperties"]["Size"]}
    validate_parameters(fields, model.operation_model("SubmitJob").input_shape)
    assert set(fields) <= set(model.operation_model("SubmitJob").input_shape.members)
