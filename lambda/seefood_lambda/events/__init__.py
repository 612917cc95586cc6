"""Parses the events that people and AWS send into values. No I/O; every field is checked.

    values            what an event is parsed into
    fields            checked access to an event's fields
    forms             the registry: which form has which module, and what may be inside what
    s3                S3's own notifications
    eventbridge       EventBridge: S3's events, CloudTrail's, schedules, others around ours
    messages          SQS and SNS, also as EventBridge Pipes and raw deliveries send them
    destination       what Lambda sends to a failure destination
    own               {"uri"}, {"uris"}, {"bucket", "key"}, {"image"}, {"images"}
    step_functions    items and batches of a Distributed Map
    batch_operations  S3 Batch Operations
    http              Function URL, API Gateway (payload 2.0 and 1.0), Application Load Balancer
    pings             warm-up pings

A form that is not in the registry is an `EventError`: nothing is dropped in silence.
"""

from seefood_lambda.events.forms import parse_event
from seefood_lambda.events.values import (
    Batch,
    BatchOperations,
    Call,
    Dialect,
    EventError,
    HttpRequest,
    Message,
    ParsedEvent,
    Removal,
    Upload,
    order_of,
)

__all__ = [
    "Batch",
    "BatchOperations",
    "Call",
    "Dialect",
    "EventError",
    "HttpRequest",
    "Message",
    "ParsedEvent",
    "Removal",
    "Upload",
    "order_of",
    "parse_event",
]
