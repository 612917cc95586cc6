"""What `seefood classify` prints about pictures that differ from those before."""

import pytest

from seefood_pipeline.command import drift_text


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
    drift = {"alarm": True, "reasons": list("abcd"), "compared_with": {"pictures": pictures}}
    assert expected == drift_text(drift, is_asked=is_asked, is_quiet=is_quiet)
    assert drift_text({**drift, "alarm": False}, is_asked=is_asked, is_quiet=is_quiet) is None
