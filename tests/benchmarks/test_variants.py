import pytest

from benchmarks.variants import accuracy_percent, decoded, labelled_photos
from seefood.bundle import default_bundle_path, load_bundle
from seefood.engines.loading import load_engine
from seefood.errors import UsageError


@pytest.mark.photos
@pytest.mark.slow
def test_bfloat16_loses_no_half_point_of_accuracy() -> None:
    """bfloat16 loses at most half a point of accuracy on the test photos."""
    bundle = load_bundle(default_bundle_path())
    try:
        fast = load_engine(bundle, "openvino-bf16")
    except UsageError as error:
        assert "bfloat16" in str(error) or "not installed" in str(error)  # noqa: PT017
        return
    files = labelled_photos(every=4)
    assert 150 < len(files)
    pixels = decoded(files, bundle)
    before = accuracy_percent(load_engine(bundle, "litert").predict(pixels), files, bundle)
    assert before - 0.5 <= accuracy_percent(fast.predict(pixels), files, bundle)
