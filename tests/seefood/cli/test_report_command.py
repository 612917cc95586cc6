"""Rules of writing reports of a results folder and of `seefood report`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from seefood.cli import cli
from seefood.errors import UsageError
from seefood.records import ImageRef, Row, Status, utc_now
from seefood.report.writing import rewrite_report, write_run_report
from seefood.results.files import encode_rows, part_location
from seefood.storage import read, write
from seefood.storage.uris import Location, parse_location
from seefood.synthetic import draw_picture

DIGEST = "ab" * 32


def write_part(output: Location, pictures: Path, names: list[str], digest: str = DIGEST) -> None:
    rows = []
    for name in names:
        picture = pictures / name
        draw_picture("hotdog_ketchup", 1, (64, 48)).save(picture)
        uri = parse_location(str(picture)).uri
        rows.append(
            Row(
                uri,
                "",
                None,
                picture.stat().st_size,
                64,
                48,
                "PNG",
                "hotdog",
                0.9,
                (("hotdog", 0.9),),
                Status.OK,
                None,
                None,
                "hotdog",
                digest,
                "litert",
                utc_now(),
            )
        )
    refs = [ImageRef(row.uri) for row in rows]
    write(part_location(output, digest, refs, "jsonl"), encode_rows(rows, "jsonl"))


def write_summary(output: Location, run_id: str, digest: str = DIGEST) -> Location:
    folder = output.child(f"runs/{run_id}")
    summary = {"run_id": run_id, "rows": 2, "model": {"name": "hotdog", "digest": digest}}
    write(folder.child("summary.json"), json.dumps(summary).encode())
    return folder


def test_the_report_of_a_run_shows_only_rows_of_its_model(tmp_path: Path) -> None:
    """Rows of other models are not on the page."""
    output = parse_location(str(tmp_path / "out"))
    write_part(output, tmp_path, ["one.png", "two.png"])
    write_part(output, tmp_path, ["three.png"], "cd" * 32)
    folder = output.child("runs/now")

    location = write_run_report(output, {"model": {"digest": DIGEST}}, folder)

    page = Path(location.key).read_text()
    assert folder.child("report.html") == location
    assert "2 pictures: 2 hotdog" in page
    assert page.count("data:image/jpeg") == 4  # among the least certain, and under the label
    assert "three.png" not in page


def test_a_report_can_be_written_to_a_bucket(tmp_path: Path) -> None:
    """The page is written beside the results, also in an object store."""
    output = parse_location("memory://labels/2026")
    write_part(output, tmp_path, ["one.png"])
    folder = write_summary(output, "20261123T000000Z-000000")

    location = rewrite_report(output)

    assert folder.child("report.html") == location
    assert b"1 picture: 1 hotdog" in read(location)


def test_a_rewritten_report_is_beside_the_latest_run(tmp_path: Path) -> None:
    """The latest run is the last one by name, because names begin with the time."""
    output = parse_location(str(tmp_path / "out"))
    write_part(output, tmp_path, ["one.png", "two.png"])
    write_summary(output, "20261122T000000Z-ffffff")
    latest = write_summary(output, "20261123T000000Z-000000")

    assert latest.child("report.html") == rewrite_report(output)


def test_rows_without_a_run_have_the_report_in_the_output_folder(tmp_path: Path) -> None:
    """An output that only the Lambda wrote has no folder of runs."""
    output = parse_location(str(tmp_path / "out"))
    write_part(output, tmp_path, ["one.png"])

    assert output.child("report.html") == rewrite_report(output)


def test_rows_of_two_models_without_a_run_are_refused(tmp_path: Path) -> None:
    """Results of two models are never on one page; the message names both models."""
    output = parse_location(str(tmp_path / "out"))
    write_part(output, tmp_path, ["one.png"])
    write_part(output, tmp_path, ["two.png"], "cd" * 32)

    with pytest.raises(UsageError, match=r"models abababababab, cdcdcdcdcdcd"):
        rewrite_report(output)


def test_a_damaged_summary_is_named(tmp_path: Path) -> None:
    """A summary.json that is not JSON is a usage error without a traceback."""
    output = parse_location(str(tmp_path / "out"))
    write(output.child("runs/now/summary.json"), b"{")

    with pytest.raises(UsageError, match=r"now/summary\.json is not the summary of a run"):
        rewrite_report(output)


def test_the_command_prints_the_location_of_the_page(tmp_path: Path) -> None:
    """Stdout has only the path, so scripts can open it."""
    write_part(parse_location(str(tmp_path / "out")), tmp_path, ["one.png"])
    page = tmp_path / "my page.html"

    result = CliRunner().invoke(cli, ["report", str(tmp_path / "out"), "--output", str(page)])

    assert (0, f"{page}\n") == (result.exit_code, result.stdout)
    assert "1 picture: 1 hotdog" in page.read_text()


def test_an_output_without_results_is_a_usage_error(tmp_path: Path) -> None:
    """The message names the wrong folder and the folder to give instead."""
    with pytest.raises(UsageError, match=r"no rows below .*--output"):
        rewrite_report(parse_location(str(tmp_path / "nothing")))
