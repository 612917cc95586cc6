"""The taxonomy of errors: what is documented is what the code does."""

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
    """docs/errors.md lists all codes and no other, and says of each what the ledger does."""
    assert {str(code) for code in ErrorCode} == set(_policies())
    assert {str(code) for code in TRANSIENT} == {
        code for code, policy in _policies().items() if policy == "tried again"
    }


def test_every_code_has_an_answer_over_http() -> None:
    """Each code has a status; none of them says that the picture was fine."""
    assert set(ErrorCode) == set(STATUS_OF)
    assert all(status >= 400 for status in STATUS_OF.values())
