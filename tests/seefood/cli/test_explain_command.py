"""The command `seefood explain`."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.cli.explain import explain_command
from seefood.errors import UsageError
from seefood.synthetic import draw_picture


@pytest.fixture
def lunch(tmp_path: Path) -> Path:
    path = tmp_path / "lunch.jpg"
    draw_picture("pizza", 1, (320, 240)).save(path)
    return path


def test_page_compares_and_samples(bundle_path: Path, lunch: Path, tmp_path: Path) -> None:
    """--compare adds another network's prediction, --photos a chapter of labelled photos."""
    data = tmp_path / "data"
    for part in ("train", "test"):
        for label in ("hotdog", "not_hotdog"):
            (data / part / label).mkdir(parents=True)
            draw_picture("hotdog_plain", 5, (160, 120)).save(data / part / label / "a.png")
    target = tmp_path / "page.html"
    arguments = [str(lunch), "--output", str(target), "--model", str(bundle_path)]
    extra = ["--compare", str(bundle_path), "--photos", str(data)]
    result = CliRunner().invoke(explain_command, [*arguments, *extra], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.output.strip() == str(target)
    page = target.read_text()
    assert "Training photos: hotdog" in page
    assert "Predictions for this picture" in page


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_bad_picture_is_one_sentence(
    bundle_path: Path, tmp_path: Path, content: bytes | None
) -> None:
    """A picture that is missing or broken is a usage error, and no page is written."""
    source, target = tmp_path / "lunch.jpg", tmp_path / "page.html"
    if content is not None:
        source.write_bytes(content)
    arguments = [str(source), "--output", str(target), "--model", str(bundle_path)]
    with pytest.raises(UsageError, match=r"lunch\.jpg"):
        CliRunner().invoke(explain_command, arguments, catch_exceptions=False)
    assert not target.exists()
