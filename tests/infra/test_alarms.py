"""Every alarm of the template changes its state, fed with the metrics that it is about.

AWS's own metrics (SQS, Lambda, EventBridge) are simulated with the names and dimensions of AWS's
documents, because moto does not send them. Ours are what the handler writes, and the events of the
batch job go through the rules' patterns.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import pytest
from moto.events.models import EventPattern

from seefood.classification import ClassifyOptions, classify_images
from seefood.engines.fake import FakeEngine
from seefood.records import ImageRef
from seefood_lambda.events import Message
from seefood_lambda.observability import Observability
from seefood_lambda.uploads import Outcome, UploadStatus
from seefood_pipeline.command import drift_text
from tests.fakes import MODEL
from tests.infra.alarms import Metrics, Name, name_of, state
from tests.infra.aws import Stack
from tests.infra.resolved import STACK, Template
from tests.pictures import jpeg

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_START: Final = 10 * _DAY


@pytest.fixture(params=[True, False], ids=["FILL fills all", "FILL fills gaps"])
def metrics(request: pytest.FixtureRequest) -> Metrics:
    """No data yet; with both readings of FILL."""
    return Metrics(fills_absent=request.param)


@pytest.fixture(scope="module")
def template(stack: Stack) -> Template:
    """The template with an address and the defaults of all alarms."""
    return stack.variant(HttpAccess="iam")


def _queue(template: Template, name: str) -> frozenset[tuple[str, str]]:
    return frozenset({("QueueName", template.physical[f"{name}.QueueName"])})


def _function(template: Template) -> frozenset[tuple[str, str]]:
    return frozenset({("FunctionName", template.physical["Classifier"])})


# Alarm, namespace, metric, its dimensions, a value that is well, one that is not, and how many
# periods in a row it takes.
_OF_AWS: Final[
    list[tuple[str, str, str, Callable[[Template], frozenset[tuple[str, str]]], float, float, int]]
] = [
    (
        *("UploadsWaitAlarm", "AWS/SQS", "ApproximateAgeOfOldestMessage"),
        *(lambda t: _queue(t, "UploadQueue"), 900.0, 901.0, 1),
    ),
    (
        *("UploadDeadLettersAlarm", "AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        *(lambda t: _queue(t, "UploadDeadLetters"), 0.0, 1.0, 1),
    ),
    (
        *("ScheduleDeadLettersAlarm", "AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        *(lambda t: _queue(t, "ScheduleDeadLetters"), 0.0, 1.0, 1),
    ),
    ("ErrorsAlarm", "AWS/Lambda", "Errors", _function, 0.0, 1.0, 1),
    ("ThrottlesAlarm", "AWS/Lambda", "Throttles", _function, 0.0, 1.0, 3),
    ("HttpErrorsAlarm", "AWS/Lambda", "Url5xxCount", _function, 0.0, 1.0, 1),
]
_OURS: Final = {
    *("FailureRatioAlarm", "NovelRatioAlarm"),
    *("BulkMissingAlarm", "BulkDriftAlarm", "BulkFailedAlarm"),
}


def test_every_alarm_is_in_this_module(template: Template) -> None:
    """A new alarm needs a test."""
    alarms = set(template.resources("AWS::CloudWatch::Alarm"))

    assert alarms == {one[0] for one in _OF_AWS} | _OURS


@pytest.mark.parametrize(
    ("alarm", "namespace", "metric", "dimensions", "well", "bad", "periods"),
    _OF_AWS,
    ids=[one[0] for one in _OF_AWS],
)
def test_an_alarm_over_a_metric_of_aws_is_raised_and_ends(  # noqa: PLR0917 (a table's columns)
    template: Template,
    metrics: Metrics,
    alarm: str,
    namespace: str,
    metric: str,
    dimensions: Callable[[Template], frozenset[tuple[str, str]]],
    well: float,
    bad: float,
    periods: int,
) -> None:
    """Without data and with good values it is quiet; it ends when the cause has gone."""
    own, name = template.properties(alarm), (namespace, metric, dimensions(template))
    period = own["Period"]
    states = [state(own, metrics, _START)]
    for number, value in enumerate([well, *[bad] * periods, well]):
        metrics.put(name, _START + number * period, value)
        states.append(state(own, metrics, _START + (number + 1) * period))

    assert ["OK", "OK", *["OK"] * (periods - 1), "ALARM", "OK"] == states


def _rows(good: int, bad: int, novelty: float = 0.5) -> Iterator[Outcome]:
    """Yield the outcomes of so many pictures."""
    for number in range(good + bad):
        ref = ImageRef(f"s3://photos/{number}.jpg", "e")
        data = jpeg() if number < good else b"no picture"
        (row,) = classify_images([(ref, data)], FakeEngine(2), MODEL, ClassifyOptions())
        row = replace(row, novelty=novelty)
        status = UploadStatus.FAILED if row.label is None else UploadStatus.LABELLED
        yield Outcome(ref, status, row)


def _log(capsys: pytest.CaptureFixture[str], outcomes: Iterator[Outcome]) -> list[dict[str, Any]]:
    """Return what the handler of this stack logs about an invocation."""
    capsys.readouterr()
    handler = Observability(MODEL, STACK)
    handler.log_message(Message("m"), outcomes)
    handler.flush()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[:1] == "{"]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [(40, 2, "OK"), (8, 2, "OK"), (7, 3, "ALARM"), (0, 1, "ALARM"), (0, 40, "ALARM")],
)
def test_an_hour_of_failures_raises_an_alarm(
    template: Template,
    metrics: Metrics,
    capsys: pytest.CaptureFixture[str],
    *,
    good: int,
    bad: int,
    expected: str,
) -> None:
    """From 20 % on, also if nothing at all could be labelled; it ends in a quiet hour."""
    own = template.properties("FailureRatioAlarm")
    quiet = state(own, metrics, _START)
    metrics.put_log(_log(capsys, _rows(good, bad)), _START)

    assert "OK" == quiet
    assert expected == state(own, metrics, _START + _HOUR)
    assert "OK" == state(own, metrics, _START + 2 * _HOUR)


@pytest.mark.parametrize(
    ("good", "novelty", "expected"), [(30, 0.9, "OK"), (19, 1.5, "OK"), (20, 1.5, "ALARM")]
)
def test_strange_pictures_raise_an_alarm(
    template: Template,
    metrics: Metrics,
    capsys: pytest.CaptureFixture[str],
    *,
    good: int,
    novelty: float,
    expected: str,
) -> None:
    """A few uploads are no basis for a share."""
    own = template.properties("NovelRatioAlarm")
    metrics.put_log(_log(capsys, _rows(good, 0, novelty)), _START)

    assert expected == state(own, metrics, _START + _HOUR)
    assert "OK" == state(own, metrics, _START + 2 * _HOUR)


def test_another_stacks_pictures_raise_no_alarm_here(
    template: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    """The metrics have the stack's name as a dimension."""
    metrics = Metrics()
    log = _log(capsys, _rows(0, 9))
    metrics.put_log([{**line, "stack": "another"} for line in log], _START)

    assert "OK" == state(template.properties("FailureRatioAlarm"), metrics, _START + _HOUR)


def _batch_event(template: Template, status: str, **detail: Any) -> dict[str, Any]:
    """Return Batch's event about a job of the stack's queue."""
    queue = template.physical["BulkQueue"]
    kind = {"source": "aws.batch", "detail-type": "Batch Job State Change"}
    return {**kind, "detail": {"jobQueue": queue, "status": status, **detail}}


def _send(template: Template, metrics: Metrics, event: Any, time: float) -> None:
    """Count an event for each rule that it matches, as EventBridge does."""
    for rule in ("BulkDoneRule", "BulkFailedRule"):
        own = template.properties(rule)
        if EventPattern.load(json.dumps(own["EventPattern"])).matches_event(event):
            name: Name = ("AWS/Events", "MatchedEvents", frozenset({("RuleName", own["Name"])}))
            metrics.put(name, time, 1.0)


def test_a_nightly_job_that_does_not_succeed_raises_an_alarm(
    template: Template, metrics: Metrics
) -> None:
    """It never ran, waits in RUNNABLE or fails: nothing has succeeded for AlarmBulkHours."""
    own = template.properties("BulkMissingAlarm")
    assert "ALARM" == state(own, metrics, _START)  # it never ran

    for night in range(2):
        _send(template, metrics, _batch_event(template, "SUCCEEDED"), _START + night * _DAY)
    last = _START + _DAY
    _send(template, metrics, _batch_event(template, "RUNNABLE"), last + _DAY)
    _send(template, metrics, _batch_event(template, "FAILED"), last + _DAY)
    child = {"arrayProperties": {"index": 0}}
    _send(template, metrics, _batch_event(template, "SUCCEEDED", **child), last + _DAY)

    assert "OK" == state(own, metrics, last - _HOUR)  # before the second night
    assert "OK" == state(own, metrics, last + 26 * _HOUR)
    assert "ALARM" == state(own, metrics, last + 27 * _HOUR)
    _send(template, metrics, _batch_event(template, "SUCCEEDED"), last + 28 * _HOUR)
    assert "OK" == state(own, metrics, last + 29 * _HOUR)


def test_a_failed_job_raises_an_alarm_for_a_day(template: Template, metrics: Metrics) -> None:
    """An array counts once, not for each child; another queue's jobs do not count."""
    own = template.properties("BulkFailedAlarm")
    child = {"arrayProperties": {"index": 0}}
    _send(template, metrics, _batch_event(template, "FAILED", **child), _START)
    _send(template, metrics, _batch_event(template, "FAILED", jobQueue="another"), _START)
    assert "OK" == state(own, metrics, _START + _DAY)

    _send(template, metrics, _batch_event(template, "FAILED"), _START + _DAY)

    assert "ALARM" == state(own, metrics, _START + 2 * _DAY)
    assert "OK" == state(own, metrics, _START + 3 * _DAY)


def test_a_job_with_other_pictures_raises_an_alarm(template: Template, metrics: Metrics) -> None:
    """The filter finds the line that the command writes."""
    own, filter_ = template.properties("BulkDriftAlarm"), template.properties("BulkDriftFilter")
    (transformation,) = filter_["MetricTransformations"]
    drift = {"alarm": True, "reasons": ["more hotdogs"], "compared_with": {"pictures": 9}}
    lines = ["seefood: 9 rows", f"seefood: {drift_text(drift, is_asked=False, is_quiet=False)}"]
    phrase = json.loads(filter_["FilterPattern"])
    name = (transformation["MetricNamespace"], transformation["MetricName"], frozenset[Any]())

    assert name == name_of(own)
    for line in lines:
        if phrase in line:
            metrics.put(name, _START, float(transformation["MetricValue"]))
    assert "ALARM" == state(own, metrics, _START + _HOUR)
    assert "OK" == state(own, metrics, _START + 2 * _HOUR)
