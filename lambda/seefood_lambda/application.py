"""The whole door behind one call: an event in, its answer out."""

from collections.abc import Sequence
from typing import Any

from seefood.errors import RetryableError
from seefood.records import ImageRef
from seefood_lambda.batch_response import answer_batch
from seefood_lambda.classifier import Classifier, fetch
from seefood_lambda.events import Batch, HttpRequest, Invocation, Message, Upload, parse_event
from seefood_lambda.http_api import UPLOAD_URI, respond
from seefood_lambda.observability import Context, Observability
from seefood_lambda.request_input import from_base64, named_object
from seefood_lambda.settings import LambdaConfig
from seefood_lambda.uploads import Outcome, label_uploads

__all__ = ["Application", "Context"]


class Application:
    """A loaded model and its settings, ready for events; one at a time, as Lambda sends them."""

    def __init__(self, settings: LambdaConfig) -> None:
        """Load and certify the model. Raises `BundleError`."""
        self._settings = settings
        self._classifier = Classifier.load(settings)
        self._observability = Observability(self._classifier.model)

    def __call__(self, event: Any, context: Context) -> Any:
        """Return the answer to `event`.

        Raises `EventError` for an event of an unknown kind, `RetryableError` for uploads that have
        to come again and cannot be handed back singly, `UsageError` for settings that are missing.
        """
        self._observability.begin(context)
        try:
            asked = parse_event(event)
            if isinstance(asked, HttpRequest):
                return self._answer_http(asked)
            if isinstance(asked, Invocation):
                return self._answer_call(asked, context)
            return self._answer_batch(asked, context)
        except Exception as error:
            self._observability.log_failure(error)
            raise
        finally:
            self._observability.end()

    def _answer_http(self, request: HttpRequest) -> dict[str, Any]:
        response = respond(request, self._classifier, self._settings.allowed_buckets)
        self._observability.log_response(request.id, response)
        return response.as_event()

    def _answer_call(self, asked: Invocation, context: Context) -> dict[str, Any]:
        """Return a row. That of an object is written as if it had just been uploaded."""
        if asked.image is not None:
            data = from_base64(asked.image)
            return self._classifier.row(
                (ImageRef(UPLOAD_URI, size_bytes=len(data)), data)
            ).as_json()
        ref = named_object(asked.uri or "", self._settings.allowed_buckets)
        if self._settings.results is None:
            return self._classifier.row(
                fetch(ref, self._settings.classify_options.limits)
            ).as_json()
        message = Message("", (Upload(ref),))
        (outcome,) = self._label((message,), context).values()
        if outcome.row is None:
            raise RetryableError(f"{ref.uri}: {outcome.reason}")
        return outcome.row.as_json()

    def _answer_batch(self, batch: Batch, context: Context) -> dict[str, Any]:
        return answer_batch(batch, self._label(batch.messages, context))

    def _label(self, messages: Sequence[Message], context: Context) -> dict[Upload, Outcome]:
        """Label the uploads of all messages and tell what became of them."""
        uploads = [upload for message in messages for upload in message.uploads]
        outcomes = label_uploads(
            uploads,
            self._classifier,
            self._settings,
            lambda: context.get_remaining_time_in_millis() / 1000.0,
        )
        for message in messages:
            told = dict.fromkeys(message.uploads)
            self._observability.log_message(message, [outcomes[upload] for upload in told])
        return outcomes
