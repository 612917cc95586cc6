from pathlib import Path

import pytest

from seefood.synthetic.demo_set import write_demo_pictures


@pytest.fixture(scope="session")
def demo_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the demo set, which takes seconds to draw."""
    folder = tmp_path_factory.mktemp("demo")
    count = write_demo_pictures(folder)
    assert count == sum(1 for file in folder.rglob("*") if file.is_file())
    return folder
