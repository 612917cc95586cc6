"""What `seefood classify` prints about pictures that differ from those before."""

import pytest

from seefood_pipeline.command import drift_text

_TRAINED = {"training_pictures": 300}


@pytest.mark.parametrize(
    ("pictures", "is_asked", "is_quiet", "expected"),
    [
        (500, False, False, "the pictures differ from what was before: a; b; c"),
        (500, True, True, "the pictures differ from what was before: a; b; c"),
        (500, False, True, None),
        (0, True, False, "the pictures differ from the training pictures: a; b; c"),
        (0, False, False, None),
    ],
)
def test_a_difference_from_the_training_pictures_is_said_only_if_asked_for(
    pictures: int, expected: str | None, *, is_asked: bool, is_quiet: bool
) -> None:
    """The first run of most users differs from them. The template counts the other line."""
    drift = {
        "alarm": True,
        "reasons": list("abcd"),
        "compared_with": {**_TRAINED, "pictures": pictures},
    }
    assert expected == drift_text(drift, is_asked=is_asked, is_quiet=is_quiet)
    assert drift_text({**drift, "alarm": False}, is_asked=is_asked, is_quiet=is_quiet) is None


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_check_that_compared_nothing_says_so(*, is_asked: bool) -> None:
    """Whoever asked for exit code 4 does not take the 0 of too few pictures for an answer."""
    drift = {"alarm": False, "reasons": [], "compared_with": {"pictures": 0, "runs": ["a"]}}
    said = drift_text(drift, is_asked=is_asked, is_quiet=False) or ""
    assert is_asked == ("compared nothing: it takes at least 200 new pictures" in said)
