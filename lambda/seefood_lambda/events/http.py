"""HTTP requests: Function URL, API Gateway (payload 2.0 and 1.0), Application Load Balancer.

`requestContext` is written by AWS, not by the client: only it says who calls.
"""

from typing import Any
from urllib.parse import unquote_plus

from seefood_lambda.events.fields import get, mapping, text
from seefood_lambda.events.values import Dialect, HttpRequest


def is_url(event: Any) -> bool:
    """Whether it is a Function URL's, or has API Gateway's payload format 2.0."""
    return isinstance(get(get(event, "requestContext"), "http"), dict) and not _asks_whether(event)


def read_url(event: Any) -> HttpRequest:
    """Return the request. Raises `EventError`."""
    context = event["requestContext"]
    headers = _lower(mapping(event.get("headers")))
    cookies = event.get("cookies")  # this format has them apart
    if isinstance(cookies, list):
        headers.setdefault("cookie", "; ".join(map(str, cookies)))
    path = str(event.get("rawPath") or "/")
    stage = str(context.get("stage") or "$default")
    if stage != "$default" and (path + "/").startswith(f"/{stage}/"):
        path = path.removeprefix(f"/{stage}") or "/"
    return HttpRequest(
        id=str(context.get("requestId") or ""),
        method=text(context, "http", "method").upper(),
        path=path,
        query=_strings(mapping(event.get("queryStringParameters"))),
        headers=headers,
        body=str(event.get("body") or ""),
        is_base64=bool(event.get("isBase64Encoded")),
        is_iam=bool(mapping(get(context.get("authorizer"), "iam"))),
    )


def is_rest_or_load_balancer(event: Any) -> bool:
    """Whether it has API Gateway's payload format 1.0 or a load balancer's."""
    if "httpMethod" not in mapping(event) or _asks_whether(event):
        return False
    return isinstance(event.get("requestContext"), dict)


def read_rest_or_load_balancer(event: Any) -> HttpRequest:
    """Return the request. Raises `EventError`."""
    context = event["requestContext"]
    is_multi = event.get("headers") is None and isinstance(event.get("multiValueHeaders"), dict)
    many = mapping(event.get("multiValueHeaders"))
    headers = {
        name: ", ".join(map(str, values))
        for name, values in many.items()
        if isinstance(values, list)
    }
    headers.update(mapping(event.get("headers")))
    queries = mapping(event.get("multiValueQueryStringParameters"))
    query = {
        name: values[-1] for name, values in queries.items() if isinstance(values, list) and values
    }
    query.update(mapping(event.get("queryStringParameters")))
    dialect = Dialect.REST
    if "elb" in context:
        dialect = Dialect.LOAD_BALANCER_MULTI if is_multi else Dialect.LOAD_BALANCER
        # A load balancer passes the query as the client encoded it.
        query = {unquote_plus(name): unquote_plus(str(value)) for name, value in query.items()}
    lower = _lower(headers)
    identity = str(context.get("requestId") or lower.get("x-amzn-trace-id") or "")
    return HttpRequest(
        id=identity,
        method=text(event, "httpMethod").upper(),
        path=str(event.get("path") or "/"),
        query=_strings(query),
        headers=lower,
        body=str(event.get("body") or ""),
        is_base64=bool(event.get("isBase64Encoded")),
        is_iam="elb" not in context and bool(get(context.get("identity"), "userArn")),
        dialect=dialect,
    )


def _asks_whether(event: Any) -> bool:
    """Whether API Gateway asks an authorizer if it may pass a request on, in its form."""
    return "methodArn" in event or "routeArn" in event


def _strings(values: dict[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items()}


def _lower(values: dict[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in values.items()}
