"""Options of a training run that cannot work: a usage error before a photo is read."""

from pathlib import Path
from typing import Any

import pytest

from seefood.errors import UsageError
from seefood_training.request_checks import check_options, check_output
from seefood_training.run_types import Request


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_outputs_that_can_be_written(tmp_path: Path) -> None:
    """A new folder, also below folders that do not exist yet, is no error and is not made."""
    check_output(tmp_path / "new", str(_folder(tmp_path / "data")), overwrite=False)
    check_output(tmp_path / "a" / "b" / "new", "s3://bucket/photos", overwrite=False)

    assert ["data"] == [path.name for path in tmp_path.iterdir()]


def test_an_existing_output(tmp_path: Path) -> None:
    """It is refused; with `--overwrite` only if it is not a bundle."""
    data = str(_folder(tmp_path / "data"))
    output = _folder(tmp_path / "out")

    with pytest.raises(UsageError, match=r"out exists; choose another `--output`"):
        check_output(output, data, overwrite=False)
    with pytest.raises(UsageError, match="out is not a bundle and is not overwritten"):
        check_output(output, data, overwrite=True)
    _folder(output / "assets.extra")
    (output / "assets.extra" / "bundle.json").touch()
    check_output(output, data, overwrite=True)


def test_an_output_below_a_file(tmp_path: Path) -> None:
    """A file cannot contain the bundle."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"cannot be written, because .*file is a file"):
        check_output(tmp_path / "file" / "out", str(tmp_path), overwrite=False)


def test_a_place_that_takes_no_folder() -> None:
    """The message has the operating system's reason."""
    with pytest.raises(UsageError, match="/proc/out cannot be written to /proc: "):
        check_output(Path("/proc/out"), "s3://bucket/photos", overwrite=False)


@pytest.mark.parametrize("name", ["data/out", "data/apple/out", "link/out"])
def test_an_output_inside_the_data(tmp_path: Path, name: str) -> None:
    """The next run would take it for a class."""
    data = _folder(tmp_path / "data")
    _folder(data / "apple")
    (tmp_path / "link").symlink_to(data)

    with pytest.raises(UsageError, match=r"is inside .*data, where the next run would take it"):
        check_output(tmp_path / name, str(data), overwrite=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"weights": "imagenet"}, "`--weights imagenet` needs the `--network`", id="w"),
        pytest.param({"multiplier": 0.5}, "`--multiplier 0.5` needs the `--network`", id="m"),
        pytest.param({"network": "vgg"}, "no network 'vgg'", id="n"),
        pytest.param(
            {"network": "lenet5", "weights": "imagenet"}, "lenet5 has no pretrained weights", id="l"
        ),
        pytest.param(
            {"network": "mobilenet_v2", "weights": "built-in"}, "efficientnet_lite1", id="b"
        ),
        pytest.param(
            {"network": "mobilenet_v2", "weights": Path(__file__), "multiplier": 0.35},
            "does not have the weights of mobilenet_v2 with the multiplier 0",
            id="f",
        ),
        pytest.param(
            {"network": "resnet50", "multiplier": 0.5}, "has no effect on resnet50", id="r"
        ),
        pytest.param(
            {"network": "alexnet", "image_size": 16},
            r"alexnet cannot be built for 16 x 16 pictures.*larger `--image-size`, such as 2\d\d$",
            id="s",
        ),
        pytest.param(
            {"network": "mobilenet_v2", "weights": "imagenet", "multiplier": 0.36},
            "has no weights imagenet .* the multiplier 0.36 .*change `--multiplier`",
            id="i",
        ),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any], message: str) -> None:
    """They are found before a photo is read."""
    with pytest.raises(UsageError, match=message):
        check_options(Request("photos", Path("bundle"), **options))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "is empty; download the weights again", id="empty"),
        pytest.param(b"\n<!DOCTYPE html>", "is a web page, not weights", id="page"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull", id="LFS"),
        pytest.param(
            b"\x89HDF\r\n\x1a\n" + bytes(99), "does not have the weights of", id="cut off"
        ),
        pytest.param(b"\x80\x04]\x94.", "does not have the weights of", id="pickle"),
    ],
)
def test_files_that_are_no_weights(tmp_path: Path, content: bytes, message: str) -> None:
    """They are named as what they are, before a photo is read."""
    weights = tmp_path / "weights.h5"
    weights.write_bytes(content)

    with pytest.raises(UsageError, match=message):
        check_options(
            Request(
                "photos", Path("bundle"), network="mobilenet_v2", weights=weights, image_size=32
            )
        )
