"""Evaluates IAM policies: an explicit denial wins, then an allowance, otherwise it is denied.

Supports what the template uses: Action, Resource, Principal, and the conditions StringEquals,
ArnEquals and Bool. A condition on a key that the request lacks is false.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """An action on a resource by a principal; `context` has the keys of conditions."""

    action: str
    resource: str
    principal: str = ""
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


def is_allowed(statements: Iterable[Mapping[str, Any]], request: Request) -> bool:
    """Return whether IAM allows `request` under `statements` alone."""
    effects = {one["Effect"] for one in statements if _applies(one, request)}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _matches(statement["Action"], request.action, ignore_case=True)
        and _matches(statement["Resource"], request.resource)
        and _concerns(statement.get("Principal"), request.principal)
        and all(
            _holds(operator, key, values, request.context)
            for operator, pairs in statement.get("Condition", {}).items()
            for key, values in pairs.items()
        )
    )


def _concerns(principal: Any, name: str) -> bool:
    if principal is None or principal == "*":
        return True
    return any(_matches(names, name) for names in principal.values())


def _holds(operator: str, key: str, values: Any, context: Mapping[str, str]) -> bool:
    if key not in context:
        return False
    if operator in {"StringEquals", "Bool"}:
        return context[key] in _many(values)
    if operator == "ArnEquals":
        return _matches(values, context[key])
    raise ValueError(f"a policy uses {operator}, which this module does not support: add it")


def _matches(patterns: Any, text: str, *, ignore_case: bool = False) -> bool:
    flags = re.IGNORECASE if ignore_case else 0
    return any(
        re.fullmatch(re.escape(one).replace(r"\*", ".*").replace(r"\?", "."), text, flags)
        for one in _many(patterns)
    )


def _many(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]
