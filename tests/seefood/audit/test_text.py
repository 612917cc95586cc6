import pytest

from seefood.audit.text import estimate_lines

_SHARE = {"estimate": 0.5, "low": 0.4, "high": 0.6}


@pytest.mark.parametrize(
    ("number", "answers", "left_out"),
    [
        (1, "1 answer about 1 labelled picture,", "1 picture without a label is not counted"),
        (
            1200,
            "1,200 answers about 1,200 labelled pictures,",
            "1,200 pictures without a label are not counted",
        ),
    ],
)
def test_one_is_singular(number: int, answers: str, left_out: str) -> None:
    """Of answers, of pictures, and of those that are left out."""
    estimates = {
        "confidence": 0.95,
        "answers": number,
        "population": number,
        "accuracy": _SHARE,
        "labels": {},
        "threshold": None,
    }
    lines = list(estimate_lines(estimates, number))
    assert lines[0].startswith(answers)
    assert left_out == lines[2]
