from seefood.corrections import Corrections, apply_corrections
from seefood.results.arrow import batch_of
from tests.fakes import failed, make_row
from tests.seefood.corrections.test_correction_log import correct


def test_a_person_decides_before_the_model() -> None:
    """Label, by and score of each picture; the etag must be that of the content seen."""
    rows = [
        make_row("s3://b/model"),
        make_row("s3://b/person"),
        make_row("s3://b/agreed"),
        make_row("s3://b/unknown-label"),
        make_row("s3://b/replaced", etag="e2"),
        failed("s3://b/failed", "corrupt", "x"),
        failed("s3://b/failed-known", "corrupt", "x"),
    ]
    corrections = Corrections(
        [
            correct("s3://b/person"),
            correct("s3://b/agreed", "red"),
            correct("s3://b/unknown-label", "mauve"),
            correct("s3://b/replaced"),
            correct("s3://b/failed-known", "mauve"),
        ]
    )
    (batch,) = apply_corrections([batch_of(rows)], corrections)
    assert [
        ("red", "model", 0.75),
        ("green", "person", 0.25),
        ("red", "person", 0.75),
        ("mauve", "person", None),
        ("red", "model", 0.75),
        (None, "model", None),
        ("mauve", "person", None),
    ] == list(zip(*(batch[name].to_pylist() for name in ("label", "by", "score")), strict=True))
