"""The context of an invocation, as Lambda passes it to the handler."""

from dataclasses import dataclass


@dataclass
class Context:
    """An invocation with enough time."""

    function_name: str = "seefood"
    aws_request_id: str = "request-1"
    milliseconds: int = 30_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time."""
        return self.milliseconds
