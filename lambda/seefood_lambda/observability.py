"""Logs and metrics, in the forms that CloudWatch reads: JSON lines, and EMF beside them.

Every line carries the model's digest, whether the environment has just started, the invocation's
id, and the correlation id of what is being worked on (the queue's message, the request, the event).
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from seefood.classify import Model
from seefood.records import DIGEST_SHOWN
from seefood.sanitize import redacted
from seefood_lambda.events import Message
from seefood_lambda.http_api import Response
from seefood_lambda.uploads import Outcome, UploadStatus

SERVICE: Final = "upload-door"
NAMESPACE: Final = "seefood"
_METRIC_OF: Final = {
    UploadStatus.LABELLED: "Labelled",
    UploadStatus.FAILED: "Failed",
    UploadStatus.REPEATED: "Repeated",
    UploadStatus.REFUSED: "Refused",
    UploadStatus.RETRY: "Retried",
}


class Context(Protocol):
    """What the runtime tells of an invocation."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take, in milliseconds."""


class Observability:
    """What operators see."""

    def __init__(self, model: Model) -> None:
        """`model` is named in each line."""
        digest = model.digest[:DIGEST_SHOWN]
        self._logger = Logger(service=SERVICE, location=None, model=model.name, model_digest=digest)
        self._metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
        self._cold = True

    def begin(self, context: Context) -> None:
        """Take up an invocation."""
        self._logger.append_keys(
            function_name=context.function_name,
            function_request_id=context.aws_request_id,
            cold_start=self._cold,
        )
        if self._cold:
            self._metrics.add_metric("ColdStart", MetricUnit.Count, 1)
        self._cold = False

    def end(self) -> None:
        """Send off what was counted, if anything was."""
        self._logger.set_correlation_id(None)
        if self._metrics.metric_set:
            self._metrics.flush_metrics()

    def log_message(self, message: Message, outcomes: Iterable[Outcome]) -> None:
        """Log and count what became of one message's uploads."""
        self._logger.set_correlation_id(message.id or None)
        if message.error is not None:
            self._count("Malformed")
            self._logger.error("malformed", reason=redacted(message.error))
        for kind in message.ignored:
            self._logger.info("ignored", event_kind=kind)
        for outcome in outcomes:
            self._tell_outcome(outcome)

    def log_response(self, request_id: str, response: Response) -> None:
        """Log and count one HTTP request."""
        self._logger.set_correlation_id(request_id or None)
        self._count("Requests")
        if response.status >= 500:
            self._count("RequestErrors")
        if response.failure is not None:
            self.log_failure(response.failure)
        row = response.row
        line: dict[str, Any] = {"status": int(response.status)}
        if row is not None:
            line |= {"label": row.label, "score": row.score}
        self._logger.info("answered", **line)

    def log_failure(self, error: Exception) -> None:
        """Log what ends the invocation."""
        self._logger.error("failed", reason=redacted(f"{type(error).__name__}: {error}"))

    def _tell_outcome(self, outcome: Outcome) -> None:
        self._count(_METRIC_OF[outcome.fate])
        line: dict[str, Any] = {"uri": outcome.ref.uri, "etag": outcome.ref.etag}
        row = outcome.row
        if row is not None:
            if outcome.fate in {UploadStatus.LABELLED, UploadStatus.FAILED}:
                self._metrics.add_metric(
                    "PictureTime", MetricUnit.Milliseconds, outcome.milliseconds
                )
            line |= {"label": row.label, "score": row.score, "status": str(row.status)}
            line |= {"error_code": row.error_code, "milliseconds": round(outcome.milliseconds, 2)}
        if outcome.reason is not None:
            line["reason"] = redacted(outcome.reason)
        bad = outcome.fate in {UploadStatus.REFUSED, UploadStatus.RETRY}
        (self._logger.error if bad else self._logger.info)(str(outcome.fate), **line)

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name, MetricUnit.Count, 1)
