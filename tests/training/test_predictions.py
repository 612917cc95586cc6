"""Which bundles can be measured on labelled photos."""

from pathlib import Path

import pytest

from seefood.errors import UsageError
from seefood_training.predictions import choose_engines
from tests.bundles import fake_bundle


def test_several_labels_are_not_measured_by_one(tmp_path: Path) -> None:
    """Figures against one label a picture would be wrong; the sentence says what to do."""
    bundle = fake_bundle(tmp_path, multi_label=True)
    with pytest.raises(UsageError, match="gives a picture several labels"):
        choose_engines(bundle, "auto")
