"""The documentation of error codes agrees with the code."""

import re

from seefood.errors import ErrorCode
from seefood.results.ledger import TRANSIENT
from seefood_lambda.problem_details import STATUS_OF
from tests.conftest import ROOT


def _policies() -> dict[str, str]:
    text = (ROOT / "docs" / "errors.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (final|tried again)", text, re.MULTILINE)
    return dict(rows)


def test_every_code_is_documented_with_its_policy() -> None:
    """docs/errors.md lists every code with what the ledger does, and no other."""
    assert {str(code) for code in ErrorCode} == set(_policies())
    assert {str(code) for code in TRANSIENT} == {
        code for code, policy in _policies().items() if policy == "tried again"
    }


def test_every_code_has_an_http_status() -> None:
    """Each code has an HTTP status of 400 or above."""
    assert set(ErrorCode) == set(STATUS_OF)
    assert all(status >= 400 for status in STATUS_OF.values())
