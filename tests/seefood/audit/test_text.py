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


def test_the_table_fits_into_a_terminal() -> None:
    """Columns are as wide as what they hold, and shares are percentages."""
    item = {"said": 23, "true": {"estimate": 20, "low": 18, "high": 22}}
    labels = {"hotdog": {**item, "precision": _SHARE, "recall": _SHARE}}
    estimates = {
        "confidence": 0.95,
        "answers": 35,
        "population": 40,
        "accuracy": _SHARE,
        "labels": labels,
        "threshold": {"at": 0.9, "error": 0.02},
    }
    expected = """\
35 answers about 40 labelled pictures, intervals with a confidence of 95%
accuracy  50.0% [40.0%, 60.0%]
label   said  true         precision             recall
hotdog    23  20 [18, 22]  50.0% [40.0%, 60.0%]  50.0% [40.0%, 60.0%]
scores of at least 0.9000 are wrong in at most 2%"""
    assert expected == "\n".join(estimate_lines(estimates, 0))
