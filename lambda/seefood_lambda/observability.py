"""Writes logs and metrics in the forms that CloudWatch reads: JSON lines and EMF.

Every log line has the model's digest, whether the environment has just started, the invocation's
id, and a correlation id (of the queue's message, the request or the event).
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, Metrics, MetricUnit

from seefood.classification import Model
from seefood.records import DIGEST_SHOWN, Row
from seefood.sanitize import redacted
from seefood_lambda.events import Message
from seefood_lambda.http_response import Response
from seefood_lambda.uploads import Outcome, UploadStatus

SERVICE: Final = "upload-handler"
NAMESPACE: Final = "seefood"
_MAX_DIMENSION: Final = 250  # CloudWatch's limit is 255 bytes
_METRIC_OF: Final = {
    UploadStatus.LABELLED: "Labelled",
    UploadStatus.FAILED: "Failed",
    UploadStatus.REPEATED: "Repeated",
    UploadStatus.REFUSED: "Refused",
    UploadStatus.RETRY: "Retried",
}
_FINAL: Final = (UploadStatus.LABELLED, UploadStatus.FAILED)


class Context(Protocol):
    """The runtime's description of an invocation."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until the function's time-out, in milliseconds."""


class Observability:
    """The logs and metrics of one function environment."""

    def __init__(self, model: Model, stack: str | None = None) -> None:
        """Each log line names `model`; `stack` is a dimension of each metric."""
        digest = model.digest[:DIGEST_SHOWN]
        self._logger = Logger(service=SERVICE, location=None, model=model.name, model_digest=digest)
        self._metrics = Metrics(namespace=NAMESPACE, service=SERVICE)
        self._dimensions = {"stack": stack} if stack is not None else {}
        if self._dimensions:
            self._metrics.set_default_dimensions(**self._dimensions)
        self._scores: dict[str, list[float]] = {}
        self._cold = True

    def start(self, context: Context) -> None:
        """Start an invocation."""
        self._logger.append_keys(
            function_name=context.function_name,
            function_request_id=context.aws_request_id,
            cold_start=self._cold,
        )
        if self._cold:
            self._metrics.add_metric("ColdStart", MetricUnit.Count, 1)
        self._cold = False

    def flush(self) -> None:
        """Write the metrics, if there are any, and end the invocation."""
        self._logger.set_correlation_id(None)
        for label, scores in self._scores.items():
            self._write_scores(label, scores)
        self._scores.clear()
        if self._metrics.metric_set:
            self._metrics.flush_metrics()

    def log_message(self, message: Message, outcomes: Iterable[Outcome]) -> None:
        """Log and count the outcomes of one message's uploads."""
        self._logger.set_correlation_id(message.id or None)
        if message.error is not None:
            self._count("Malformed")
            self._logger.error("malformed", reason=redacted(message.error))
        for kind in message.ignored:
            self._logger.info("ignored", event_kind=kind)
        for outcome in outcomes:
            self._log_outcome(outcome)

    def log_removals(self, message: Message, count: int) -> None:
        """Log and count the rows that were removed with their pictures."""
        self._logger.set_correlation_id(message.id or None)
        self._metrics.add_metric("Removed", MetricUnit.Count, count)
        uris = [removal.uri for removal in message.removals]
        self._logger.info("removed", uris=uris, rows=count)

    def log_ignored_removals(self, message: Message) -> None:
        """Log removals whose rows stay."""
        self._logger.set_correlation_id(message.id or None)
        for removal in message.removals:
            self._logger.info("ignored", event_kind="removal", uri=removal.uri)

    def log_response(self, request_id: str, response: Response) -> None:
        """Log and count one HTTP request."""
        self._logger.set_correlation_id(request_id or None)
        self._count("Requests")
        if response.status >= 500:
            self._count("RequestErrors")
        if response.failure is not None:
            self.log_failure(response.failure)
        fields: dict[str, Any] = {"status": int(response.status)}
        for row in response.rows:
            self._keep_score(row)
        if len(response.rows) == 1:
            fields |= {"label": response.rows[0].label, "score": response.rows[0].score}
        elif response.rows:
            fields["labels"] = [row.label for row in response.rows]
        self._logger.info("answered", **fields)

    def log_failure(self, error: Exception) -> None:
        """Log an error that ends the invocation."""
        self._logger.error("failed", reason=redacted(f"{type(error).__name__}: {error}"))

    def _log_outcome(self, outcome: Outcome) -> None:
        if outcome.status in _FINAL:  # an alarm divides one by the other: neither may lack data
            for status in _FINAL:
                self._metrics.add_metric(
                    _METRIC_OF[status], MetricUnit.Count, int(status is outcome.status)
                )
        else:
            self._count(_METRIC_OF[outcome.status])
        fields: dict[str, Any] = {"uri": outcome.ref.uri, "etag": outcome.ref.etag}
        row = outcome.row
        if row is not None:
            if outcome.status in _FINAL:
                self._metrics.add_metric(
                    "PictureTime", MetricUnit.Milliseconds, outcome.milliseconds
                )
                self._keep_score(row)
            fields |= {"label": row.label, "score": row.score, "status": str(row.status)}
            fields |= {"error_code": row.error_code, "milliseconds": round(outcome.milliseconds, 2)}
        if outcome.reason is not None:
            fields["reason"] = redacted(outcome.reason)
        is_error = outcome.status in {UploadStatus.REFUSED, UploadStatus.RETRY}
        (self._logger.error if is_error else self._logger.info)(str(outcome.status), **fields)

    def _keep_score(self, row: Row) -> None:
        if row.novelty is not None and row.novelty > 1:
            self._count("Novel")
        if row.label is not None and row.score is not None:
            self._scores.setdefault(row.label, []).append(row.score)

    def _write_scores(self, label: str, scores: list[float]) -> None:
        """Write the scores of one label, of which CloudWatch makes a distribution each minute.

        The number of samples is the label's count: both together show drift.
        """
        metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
        for name, value in {**self._dimensions, "label": label[:_MAX_DIMENSION]}.items():
            metrics.add_dimension(name, value)
        for score in scores:
            metrics.add_metric("Score", MetricUnit.NoUnit, round(score, 4))
        metrics.flush_metrics()

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name, MetricUnit.Count, 1)
