"""Uses the stack in moto: an upload becomes a row, and the scheduled job labels the bucket."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seefood.bundle import load_bundle
from seefood.synthetic import draw_picture
from tests.infra.aws import Stack
from tests.infra.iam import Request, is_allowed
from tests.infra.resolved import REGION, STACK, Template, read_template
from tests.infra.running import finish, invoke, start_container, validate_submit_job
from tests.infra.traffic import recorded_s3_requests


def test_everything_in_the_template_exists(stack: Stack) -> None:
    """Each resource of the template was created."""
    for service, call, key, expected in [
        ("cloudwatch", "describe_alarms", "MetricAlarms", 11),
        ("cloudwatch", "list_dashboards", "DashboardEntries", 1),
        ("scheduler", "list_schedules", "Schedules", 1),
        ("sns", "list_subscriptions", "Subscriptions", 1),
        ("batch", "describe_job_queues", "jobQueues", 1),
        ("ecr", "describe_repositories", "repositories", 1),
    ]:
        assert expected == len(getattr(stack.client(service), call)()[key]), call
    (budget,) = stack.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    assert "20" == budget["BudgetLimit"]["Amount"]


_TOKEN = "correct-horse-battery"  # noqa: S105 (an example)
_IAM = {"authorizer": {"iam": {"userArn": "arn:aws:iam::123456789012:user/cook"}}}


@pytest.mark.parametrize("name", ["ImageBucket", "ResultsBucket"])
def test_buckets_are_private_encrypted_versioned_and_tls_only(stack: Stack, name: str) -> None:
    """Both buckets are protected, and deleting the stack keeps them."""
    own = stack.template.properties(name)
    (policy,) = stack.template.properties(f"{name}Policy")["PolicyDocument"]["Statement"]

    assert {True} == set(own["PublicAccessBlockConfiguration"].values())
    assert "AES256" in json.dumps(own["BucketEncryption"])
    assert "Enabled" == own["VersioningConfiguration"]["Status"]
    assert ("Deny", "*", {"Bool": {"aws:SecureTransport": "false"}}) == (
        policy["Effect"],
        policy["Principal"],
        policy["Condition"],
    )
    assert "RetainExceptOnCreate" == stack.template.resources()[name]["DeletionPolicy"]


def test_a_message_is_hidden_six_times_the_functions_timeout(stack: Stack) -> None:
    """A slow batch is not delivered twice; a failed one at most five times."""
    timeout = stack.template.properties("Classifier")["Timeout"]
    queue = stack.template.properties("UploadQueue")
    mapping = stack.template.properties("ClassifierUploads")

    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert 5 == queue["RedrivePolicy"]["maxReceiveCount"]
    assert ["ReportBatchItemFailures"] == mapping["FunctionResponseTypes"]
    assert stack.template.physical["UploadQueue.Arn"] == mapping["EventSourceArn"]
    assert "10" == mapping["ScalingConfig"]["MaximumConcurrency"]


def test_an_upload_becomes_a_row(stack: Stack, bundle_path: Path) -> None:
    """The handler runs with the template's variables and needs only the template's policy."""
    images = stack.template.physical["ImageBucket"]
    pictures = {
        "lunch/hot dog.jpg": _picture("hotdog_mustard"),
        "lunch/house+1.jpg": _picture("house"),
        "lunch/broken.jpg": b"no picture",
    }
    for key, data in pictures.items():
        stack.client("s3").put_object(Bucket=images, Key=key, Body=data)

    records = _receive(stack)
    with recorded_s3_requests() as requests:
        result, log = invoke(stack.template, stack, {"Records": records}, bundle_path)

    rows = {row["uri"]: row for row in _upload_rows(stack)}
    assert {"batchItemFailures": []} == result
    assert {f"s3://{images}/{key}" for key in pictures} == set(rows)
    assert "not_an_image" == rows[f"s3://{images}/lunch/broken.jpg"]["error_code"]
    assert {None} == {row["error_code"] for uri, row in rows.items() if "broken" not in uri}
    tags = stack.client("s3").get_object_tagging(Bucket=images, Key="lunch/hot dog.jpg")["TagSet"]
    assert ["label"] == [tag["Key"] for tag in tags]
    _assert_permitted(stack, "ClassifierRole", requests)
    _assert_metrics(stack, log)


@pytest.mark.parametrize("access", ["public", "token", "iam"])
def test_strangers_learn_nothing_about_pictures_in_the_bucket(
    stack: Stack, bundle_path: Path, access: str
) -> None:
    """With the template's variables, only a caller whom IAM let in may name an object."""
    token = {"HttpToken": _TOKEN} if access == "token" else {}
    template = stack.variant(HttpAccess=access, **token)
    images = stack.template.physical["ImageBucket"]
    stack.client("s3").put_object(Bucket=images, Key="private/1.jpg", Body=_picture("house"))
    answers = []
    for key, authorizer in (
        ("private/1.jpg", {}),
        ("private/absent.jpg", {}),
        ("private/1.jpg", _IAM),
    ):
        event = {
            "version": "2.0",
            "rawPath": "/classify",
            "headers": {"content-type": "application/json", "x-seefood-token": _TOKEN},
            "requestContext": {"http": {"method": "POST"}, "requestId": "r", **authorizer},
            "body": json.dumps({"uri": f"s3://{images}/{key}"}),
        }
        result, _ = invoke(template, stack, event, bundle_path)
        answers.append((result["statusCode"], result["body"]))

    assert [403, 403, 200] == [status for status, _ in answers]
    assert answers[0] == answers[1]


def test_the_template_passes_the_token_on_only_if_it_protects_the_address(stack: Stack) -> None:
    """With another HttpAccess a forgotten token changes nothing."""
    for access, expected in (("token", _TOKEN), ("public", "")):
        template = stack.variant(HttpAccess=access, HttpToken=_TOKEN)
        variables = template.properties("Classifier")["Environment"]["Variables"]
        assert expected == variables["SEEFOOD_TOKEN"]


def test_a_message_that_fails_five_times_goes_to_the_dead_letter_queue(stack: Stack) -> None:
    """It is not lost: an alarm is raised and a redrive is possible."""
    sqs, physical = stack.client("sqs"), stack.template.physical
    for name in ("UploadQueue", "UploadDeadLetters"):  # other tests upload pictures
        sqs.purge_queue(QueueUrl=physical[name])
    sqs.send_message(QueueUrl=physical["UploadQueue"], MessageBody='{"poison": true}')

    for _ in range(7):
        sqs.receive_message(QueueUrl=physical["UploadQueue"], VisibilityTimeout=0)

    dead = sqs.receive_message(QueueUrl=physical["UploadDeadLetters"])["Messages"]
    assert ['{"poison": true}'] == [message["Body"] for message in dead]


@pytest.mark.beam
def test_the_schedules_input_is_a_job_that_labels_the_bucket(
    stack: Stack, bundle_path: Path
) -> None:
    """EventBridge Scheduler sends a valid SubmitJob, and its command labels the bucket."""
    physical = stack.template.physical
    _upload_model(stack, bundle_path)
    stack.client("s3").put_object(
        Bucket=physical["ImageBucket"], Key="dinner/1.jpg", Body=_picture("hotdog_mustard")
    )
    schedule = stack.client("scheduler").get_schedule(Name=f"{STACK}-bulk")
    request = json.loads(schedule["Target"]["Input"])
    validate_submit_job(request)

    assert "arn:aws:scheduler:::aws-sdk:batch:submitJob" == schedule["Target"]["Arn"]
    assert physical["BulkQueue"] == request["JobQueue"]

    with recorded_s3_requests() as requests:
        summary = finish(start_container(stack, request, output=_results(stack)))

    bucket = stack.client("s3").list_objects_v2(Bucket=physical["ImageBucket"])["Contents"]
    images = f"s3://{physical['ImageBucket']}/"
    labelled = sum(row["uri"].startswith(images) for row in _upload_rows(stack))
    assert load_bundle(bundle_path).digest == summary["model"]["digest"]
    assert len(bucket) == summary["listed"]
    # The function and the job share one ledger, so the job skips labelled uploads.
    assert labelled == summary["skipped_by_ledger"]
    assert len(bucket) - labelled == summary["rows"]
    _assert_permitted(stack, "BulkRole", requests)


def test_a_gpu_needs_ec2_and_nothing_of_it_is_made_without(stack: Stack) -> None:
    """By parameter the job has one GPU on EC2, and the engine; the default has Fargate alone."""
    usual, gpu = stack.variant(), read_template(BulkGpuInstances="g6.xlarge,g5.xlarge")
    names = {"BulkGpuCompute", "BulkInstance", "BulkInstanceProfile", "BulkInstanceRole"}
    assert names == set(gpu.resources()) - set(usual.resources())
    assert {"BulkCompute"} == set(usual.resources()) - set(gpu.resources())
    known = dict.fromkeys(("BulkInstance", "BulkInstanceProfile.Arn", "BulkGpuCompute"), "made")
    known["BulkInstance.LatestVersionNumber"] = "1"
    made = Template(gpu.document, gpu.parameters, {**stack.template.physical, **known})
    compute = made.properties("BulkGpuCompute")["ComputeResources"]
    job, plain = made.properties("BulkJob"), usual.properties("BulkJob")
    container, usual_container = job["ContainerProperties"], plain["ContainerProperties"]

    assert ("SPOT", 0) == (compute["Type"], compute["MinvCpus"])
    assert ["g6.xlarge", "g5.xlarge"] == compute["InstanceTypes"]
    assert [["EC2"], ["FARGATE"]] == [one["PlatformCapabilities"] for one in (job, plain)]
    assert {"Type": "GPU", "Value": "1"} == container["ResourceRequirements"][-1]
    assert ["VCPU", "MEMORY"] == [one["Type"] for one in usual_container["ResourceRequirements"]]
    engine = {"Name": "SEEFOOD_CLASSIFY_ENGINE", "Value": "tensorflow"}
    assert [True, False] == [engine in one["Environment"] for one in (container, usual_container)]
    fargate = {"NetworkConfiguration", "RuntimePlatform"}
    assert fargate == set(usual_container) - set(container)
    assert (
        "made" == made.properties("BulkQueue")["ComputeEnvironmentOrder"][0]["ComputeEnvironment"]
    )
    assert made.properties("BulkQueue")["JobQueueName"].endswith("-gpu")
    assert "JobQueueName" not in usual.properties("BulkQueue")


@pytest.mark.beam
def test_an_array_of_jobs_shares_the_bucket(stack: Stack, bundle_path: Path) -> None:
    """With BulkShards=2 two children label every picture once."""
    _upload_model(stack, bundle_path)
    for number in range(12):
        stack.client("s3").put_object(
            Bucket=stack.template.physical["ImageBucket"],
            Key=f"array/{number}.jpg",
            Body=_picture("house", number),
        )
    target = stack.variant(BulkShards="2").properties("BulkSchedule")["Target"]
    request = json.loads(target["Input"])
    validate_submit_job(request)
    request["Parameters"]["source"] += "array/"
    output = f"{_results(stack)}/array"

    children = [
        start_container(
            stack,
            request,
            output=output,
            AWS_BATCH_JOB_ARRAY_INDEX=str(index),
            AWS_BATCH_JOB_ARRAY_SIZE=str(request["ArrayProperties"]["Size"]),
        )
        for index in range(2)
    ]
    summaries = [finish(child) for child in children]

    assert 12 == sum(one["rows"] for one in summaries)
    assert 12 == sum(one["listed"] for one in summaries)
    assert all(one["rows"] > 0 for one in summaries)


def test_uploads_to_an_existing_bucket_come_through_eventbridge(
    stack: Stack, bundle_path: Path
) -> None:
    """The rule's pattern matches uploads below the prefix, and the handler labels them."""
    # Last, because a report shows pictures of all rows, and the batch job may not read this bucket.
    other = stack.variant(ImageBucketName="my-photos", ImagePrefix="in/")
    s3, events = stack.client("s3"), stack.client("events")
    rule = other.properties("UploadRule")
    s3.create_bucket(Bucket="my-photos", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_notification_configuration(
        Bucket="my-photos", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    events.put_rule(Name=rule["Name"], EventPattern=json.dumps(rule["EventPattern"]))
    events.put_targets(Rule=rule["Name"], Targets=rule["Targets"])
    _receive(stack)
    for key in ("in/hot dog+1.jpg", "elsewhere/2.jpg"):
        s3.put_object(Bucket="my-photos", Key=key, Body=_picture("hotdog_mustard"))

    records = _receive(stack)
    result, _ = invoke(other, stack, {"Records": records}, bundle_path)

    assert 1 == len(records)
    assert {"batchItemFailures": []} == result
    uris = {row["uri"] for row in _upload_rows(stack) if "my-photos" in row["uri"]}
    assert {"s3://my-photos/in/hot dog+1.jpg"} == uris


def _assert_permitted(stack: Stack, role: str, requests: set[Request]) -> None:
    """Assert that the role's policy allows all requests to S3."""
    assert requests
    statements = stack.policies(role, LabelTag=stack.template.parameters["LabelTag"])
    assert [] == [one for one in requests if not is_allowed(statements, one)]


def _picture(kind: str, seed: int = 1) -> bytes:
    content = io.BytesIO()
    draw_picture(kind, seed, (320, 240)).save(content, "JPEG")
    return content.getvalue()


def _results(stack: Stack) -> str:
    return f"s3://{stack.template.physical['ResultsBucket']}"


def _receive(stack: Stack) -> list[dict[str, Any]]:
    """Remove all messages from the queue and return them as Lambda gets them."""
    sqs, queue = stack.client("sqs"), stack.template.physical["UploadQueue"]
    records = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            records.append(
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": {},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": stack.template.physical["UploadQueue.Arn"],
                    "awsRegion": REGION,
                }
            )
    return records


def _assert_metrics(stack: Stack, log: list[dict[str, Any]]) -> None:
    """Assert that the alarm on failures uses the names of the handler's metrics."""
    written = {
        (
            block["Namespace"],
            metric["Name"],
            tuple((name, line[name]) for name in sorted(block["Dimensions"][0])),
        )
        for line in log
        for block in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for metric in block["Metrics"]
    }
    used = {
        (
            one["MetricStat"]["Metric"]["Namespace"],
            one["MetricStat"]["Metric"]["MetricName"],
            tuple(
                sorted((d["Name"], d["Value"]) for d in one["MetricStat"]["Metric"]["Dimensions"])
            ),
        )
        for one in stack.template.properties("FailureRatioAlarm")["Metrics"]
        if "MetricStat" in one
    }
    assert 2 == len(used)
    assert used <= written


def _upload_rows(stack: Stack) -> Iterator[dict[str, Any]]:
    s3, bucket = stack.client("s3"), stack.template.physical["ResultsBucket"]
    for item in s3.list_objects_v2(Bucket=bucket, Prefix="uploads/").get("Contents", []):
        yield json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())


def _upload_model(stack: Stack, bundle: Path) -> None:
    """Upload the bundle as `make deploy MODEL=…` does."""
    digest = stack.template.parameters["ModelDigest"]
    for file in bundle.rglob("*"):
        if file.is_file():
            stack.client("s3").put_object(
                Bucket=stack.template.physical["ResultsBucket"],
                Key=f"models/{digest}/{file.relative_to(bundle).as_posix()}",
                Body=file.read_bytes(),
            )
