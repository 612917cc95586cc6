"""What is wrong with the options of a training run, found before a photo is read."""

from pathlib import Path
from tempfile import TemporaryDirectory

from seefood.bundle import MANIFEST
from seefood.drift.novelty import LEAST_PICTURES
from seefood.errors import SeefoodError, UsageError
from seefood.sanitize import one_line
from seefood.storage.uris import parse_location
from seefood_training.networks import NetworkChoice, Weights, build, network
from seefood_training.networks.built_in_weights import NETWORK as DEFAULT
from seefood_training.run_types import Request, weights_name
from seefood_training.training_folder import check_folder


def check_options(request: Request) -> None:
    """Raise `UsageError` for options that do not go together, or a network that cannot be built."""
    name, side = request.network, request.image_size
    if name is None:
        own = {
            f"--weights {weights_name(request.weights)}": request.weights is not None,
            f"--multiplier {request.multiplier:g}": request.multiplier != 1.0,
        }
        for option in (option for option, is_given in own.items() if is_given):
            raise UsageError(
                f"`{option}` needs the `--network` that it is for; without both, the best "
                "network whose weights are installed is used"
            )
        if side is not None:
            check_network(NetworkChoice(DEFAULT, side, side, 2), None)
        return
    side = side or network(name).side
    two = NetworkChoice(name, side, side, 2, multiplier=request.multiplier)
    check_network(two, request.weights)


def check_photos(request: Request, count: int) -> None:
    """Raise `UsageError` if `count` training photos are too few for what `request` asks."""
    share = request.reject_unknown
    if share is not None and count < max(LEAST_PICTURES, 1 / share):
        raise UsageError(
            f"{count:,} photos are too few to tell which {share:.1%} of such photos resemble the "
            f"others least (`--reject-unknown`); give more photos, or a larger share"
        )


def check_network(choice: NetworkChoice, weights: Weights) -> None:
    """Raise `UsageError` if the network cannot be built, or `weights` are not of it."""
    spec = network(choice.name)
    if choice.multiplier != 1.0 and not spec.takes_multiplier:
        raise UsageError(
            f"`--multiplier` has no effect on {spec.name}; leave it out, or choose a network that "
            "has sizes"
        )
    try:
        build(choice, weights)
    except SeefoodError:
        raise
    except Exception as error:  # a download fails with a bare Exception of Keras
        reason = one_line(error)
        raise UsageError(
            f"{spec.name} cannot be built with the weights {weights or 'none'} ({reason}); "
            "give a file of weights, another network, or `--weights none`"
        ) from error


def check_output(output: Path, data: str, *, overwrite: bool) -> None:
    """Raise `UsageError` if a bundle cannot be written to `output`.

    A bundle inside DATA would be read as a class by the next run.
    """
    if output.exists() or output.is_symlink():
        if not overwrite:
            raise UsageError(f"{output} exists; choose another `--output`, or `--overwrite`")
        if not (output / MANIFEST).is_file():
            raise UsageError(f"{output} is not a bundle and is not overwritten; remove it first")
    check_folder(output)
    parent = next(path for path in output.absolute().parents if path.exists())
    if not parent.is_dir():
        raise UsageError(f"{output} cannot be written, because {parent} is a file")
    try:
        with TemporaryDirectory(prefix=f".{output.name}.", dir=parent):
            pass
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written to {parent}: {error.strerror}; choose another `--output`"
        ) from error
    location = parse_location(data)
    if location.is_local and Path(location.key).is_dir():
        folder = Path(location.key).resolve()
        if folder in output.resolve().parents or folder == output.resolve():
            raise UsageError(
                f"{output} is inside {data}, where the next run would take it for a class; choose "
                "an `--output` beside it"
            )
