from pathlib import Path

from seefood.runs.run_files import clean_up_dead_runs
from seefood.storage.local import TEMPORARY
from seefood.storage.uris import parse_location


def test_files_of_dead_runs_are_deleted(tmp_path: Path) -> None:
    """Temporary files of dead processes and a dead run's messages go; everything else stays."""
    folder, run = tmp_path / "results" / "digest=0123", tmp_path / "runs" / "r1"
    features = tmp_path / "features" / "digest=0123"
    for each in (folder, run, features):
        each.mkdir(parents=True)
    (features / f"{TEMPORARY}77-def").write_bytes(b"half")
    (folder / f"{TEMPORARY}77-abc").write_bytes(b"half")
    (folder / f"{TEMPORARY}78-abc").write_bytes(b"another run, alive")
    (folder / "part-1.parquet").write_bytes(b"x")
    for name in ("totals.json", "before.json", "listing.json", "stop.json", "summary.json"):
        (run / name).write_bytes(b"x")
    assert 2 == clean_up_dead_runs(parse_location(str(tmp_path)), ["r1"], [77])
    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert [f"{TEMPORARY}78-abc", "part-1.parquet", "summary.json"] == left
