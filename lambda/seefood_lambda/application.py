"""The upload handler as one callable: it takes an event and returns the response."""

from collections.abc import Sequence
from typing import Any

from seefood.errors import RetryableError
from seefood.records import ImageRef
from seefood_lambda.batch_response import build_batch_response
from seefood_lambda.classifier import Classifier, fetch
from seefood_lambda.events import Batch, HttpRequest, Invocation, Message, Upload, parse_event
from seefood_lambda.http_api import UPLOAD_URI, respond
from seefood_lambda.observability import Context, Observability
from seefood_lambda.request_input import from_base64, named_object
from seefood_lambda.settings import LambdaConfig
from seefood_lambda.uploads import Outcome, label_uploads

__all__ = ["Application", "Context"]


class Application:
    """A loaded model and its configuration. Handles one event at a time, as Lambda sends them."""

    def __init__(self, config: LambdaConfig) -> None:
        """Load and certify the model. Raises `BundleError`."""
        self._config = config
        self._classifier = Classifier.load(config)
        self._observability = Observability(self._classifier.model)

    def __call__(self, event: Any, context: Context) -> Any:
        """Return the response to `event`.

        Raises `EventError` for an event of an unknown kind, `RetryableError` for uploads that must
        be delivered again and cannot be returned one by one, `UsageError` for missing settings.
        """
        self._observability.start(context)
        try:
            parsed = parse_event(event)
            if isinstance(parsed, HttpRequest):
                return self._handle_http(parsed)
            if isinstance(parsed, Invocation):
                return self._handle_invocation(parsed, context)
            return self._handle_batch(parsed, context)
        except Exception as error:
            self._observability.log_failure(error)
            raise
        finally:
            self._observability.flush()

    def _handle_http(self, request: HttpRequest) -> dict[str, Any]:
        response = respond(request, self._classifier, self._config.allowed_buckets)
        self._observability.log_response(request.id, response)
        return response.as_event()

    def _handle_invocation(self, invocation: Invocation, context: Context) -> dict[str, Any]:
        """Return the picture's row. The row of a named object is also written, as for an upload."""
        if invocation.image is not None:
            data = from_base64(invocation.image)
            ref = ImageRef(UPLOAD_URI, size_bytes=len(data))
            return self._classifier.row((ref, data)).as_json()
        ref = named_object(invocation.uri or "", self._config.allowed_buckets)
        if self._config.results is None:
            return self._classifier.row(fetch(ref, self._config.options.limits)).as_json()
        message = Message("", (Upload(ref),))
        (outcome,) = self._label((message,), context).values()
        if outcome.row is None:
            raise RetryableError(f"{ref.uri}: {outcome.reason}")
        return outcome.row.as_json()

    def _handle_batch(self, batch: Batch, context: Context) -> dict[str, Any]:
        return build_batch_response(batch, self._label(batch.messages, context))

    def _label(self, messages: Sequence[Message], context: Context) -> dict[Upload, Outcome]:
        """Label the uploads of all messages and log the outcomes."""
        outcomes = label_uploads(
            [upload for message in messages for upload in message.uploads],
            self._classifier,
            self._config,
            lambda: context.get_remaining_time_in_millis() / 1000.0,
        )
        for message in messages:
            uploads = dict.fromkeys(message.uploads)
            self._observability.log_message(message, [outcomes[upload] for upload in uploads])
        return outcomes
