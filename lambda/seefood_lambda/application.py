"""The upload handler as one callable: it takes an event and returns the response."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from seefood.errors import RetryableError, UsageError
from seefood.records import ImageRef, Row
from seefood_lambda.batch_response import build_batch_response, build_job_response
from seefood_lambda.classifier import Classifier, fetch
from seefood_lambda.events import (
    Batch,
    BatchOperations,
    Call,
    HttpRequest,
    Message,
    Upload,
    parse_event,
)
from seefood_lambda.http_api import UPLOAD_URI, Response, respond
from seefood_lambda.observability import Context, Observability
from seefood_lambda.removals import remove_all
from seefood_lambda.request_input import NotAllowedError, check_name, from_base64
from seefood_lambda.settings import LambdaConfig
from seefood_lambda.uploads import Outcome, label_uploads

__all__ = ["Application", "Context"]


class Application:
    """A loaded model and its configuration. Handles one event at a time, as Lambda sends them."""

    def __init__(self, config: LambdaConfig) -> None:
        """Load and certify the model. Raises `BundleError`."""
        self._config = config
        self._classifier = Classifier.load(config)
        self._observability = Observability(self._classifier.model, config.stack)

    def __call__(self, event: Any, context: Context) -> Any:
        """Return the response to `event`.

        Raises `EventError` for an event of an unknown kind, `RetryableError` for uploads that must
        be delivered again and cannot be returned one by one, `UsageError` for missing settings.
        """
        self._observability.start(context)
        try:
            parsed = parse_event(event)
            if isinstance(parsed, HttpRequest):
                response = self.answer(parsed)
                self._observability.log_response(parsed.id, response)
                return response.as_event(parsed.dialect)
            if isinstance(parsed, Call):
                return self._handle_call(parsed, context)
            return self._handle_batch(parsed, context)
        except Exception as error:
            self._observability.log_failure(error)
            raise
        finally:
            self._observability.flush()

    def answer(self, request: HttpRequest) -> Response:
        """Return the response to an HTTP request, without logs. Thread-safe."""
        return respond(request, self._classifier, self._config.http)

    def _handle_call(self, call: Call, context: Context) -> Any:
        """Return the rows. Those of named objects are also written, as for an upload."""
        for upload in call.uploads:
            check_name(upload.ref.uri, self._config.allowed_buckets)
        if call.pictures:
            rows = [self._row_of_picture(from_base64(text)) for text in call.pictures]
        elif self._config.results is None:
            limits = self._config.options.limits
            rows = [self._classifier.row(fetch(one.ref, limits)) for one in call.uploads]
        else:
            rows = self._write_rows(call.uploads, context)
        documents = [row.as_json() for row in rows]
        return documents if call.is_list else documents[0]

    def _row_of_picture(self, data: bytes) -> Row:
        return self._classifier.row((ImageRef(UPLOAD_URI, size_bytes=len(data)), data))

    def _write_rows(self, uploads: Sequence[Upload], context: Context) -> list[Row]:
        outcomes = self._label((Message("", tuple(uploads)),), context)
        rows = []
        for upload in uploads:
            outcome = outcomes[upload]
            if outcome.row is None:
                raise RetryableError(f"{upload.ref.uri}: {outcome.reason}")
            rows.append(outcome.row)
        return rows

    def _handle_batch(self, batch: Batch | BatchOperations, context: Context) -> dict[str, Any]:
        messages = tuple(map(self._admitted, batch.messages))
        if self._config.suffixes and isinstance(batch, Batch):  # a job's manifest names objects
            messages = tuple(map(self._with_suffix, messages))
        outcomes = self._label(messages, context)
        # After the labels: an upload and its removal may be in one batch.
        messages = tuple(map(self._without_removed_rows, messages))
        if isinstance(batch, BatchOperations):
            return build_job_response(replace(batch, messages=messages), outcomes)
        return build_batch_response(replace(batch, messages=messages), outcomes)

    def _admitted(self, message: Message) -> Message:
        """Return `message`, or one with an error if it names an object that nobody may name."""
        try:
            for upload in message.uploads:
                if upload.is_named:
                    check_name(upload.ref.uri, self._config.allowed_buckets)
        except NotAllowedError as error:
            return Message(message.id, error=str(error))
        return message

    def _with_suffix(self, message: Message) -> Message:
        """Return `message` without what AWS reports of objects with other suffixes."""
        wanted = tuple(
            one
            for one in message.uploads
            if one.is_named or one.ref.uri.endswith(self._config.suffixes)
        )
        others = ("another suffix",) * (len(message.uploads) - len(wanted))
        return replace(message, uploads=wanted, ignored=(*message.ignored, *others))

    def _without_removed_rows(self, message: Message) -> Message:
        if not message.removals or not self._config.removes_rows:
            return message
        if self._config.results is None:
            raise UsageError("SEEFOOD_RESULTS is not set, so there are no rows to remove; set it")
        try:
            count = remove_all(
                message.removals,
                self._config.results,
                self._classifier.model.digest,
                has_marks=self._config.event_bus is not None,
            )
        except RetryableError as error:
            return replace(message, error=str(error))
        self._observability.log_removals(message, count)
        return message

    def _label(self, messages: Sequence[Message], context: Context) -> dict[Upload, Outcome]:
        """Label the uploads of all messages and log the outcomes."""
        uploads = [upload for message in messages for upload in message.uploads]
        outcomes: dict[Upload, Outcome] = {}
        if uploads:
            outcomes = label_uploads(
                uploads,
                self._classifier,
                self._config,
                lambda: context.get_remaining_time_in_millis() / 1000.0,
            )
        for message in messages:
            own = dict.fromkeys(message.uploads)
            self._observability.log_message(message, [outcomes[upload] for upload in own])
            if message.removals and not self._config.removes_rows:
                self._observability.log_ignored_removals(message)
        return outcomes
