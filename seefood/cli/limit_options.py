"""The options that limit what one picture may cost, shared by subcommands that label pictures."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.cli.numbers import FloatRange
from seefood.imaging.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from seefood.classification import ClassifyOptions

_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Amount(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """A whole number from 1, optionally with a unit: 20M, 500k, 1G."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value).strip().lower().removesuffix("b")
        digits, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
        if not (digits.isascii() and digits.isdigit() and int(digits) and unit in _UNITS):
            message = f"{value!r} is no amount; write a whole number, or one with k, M or G"
            self.fail(message, param, ctx)
        return int(digits) * _UNITS[unit]


_OPTIONS: Final = (
    ("--max-bytes", Amount(), DEFAULT_LIMITS.max_bytes, "Of a picture's file."),
    ("--max-pixels", Amount(), DEFAULT_LIMITS.max_pixels, "Width x height, from its header."),
    ("--max-memory", Amount(), DEFAULT_LIMITS.max_decode_bytes, "For decoding, in bytes."),
    (
        "--max-frames",
        Amount(),
        DEFAULT_LIMITS.max_frames,
        "Of an animation; only the first is labelled.",
    ),
    (
        "--max-seconds",
        FloatRange(0.1, 86_400.0),
        DEFAULT_LIMITS.max_seconds,
        "For decoding and labelling it.",
    ),
)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command; each is also read from the environment, SEEFOOD_MAX_…."""
    salvage = click.option(
        "--salvage",
        is_flag=True,
        envvar="SEEFOOD_SALVAGE",
        help="Label a truncated JPEG by its intact part; its status is unsure.",
    )
    command = salvage(command)
    for name, param_type, default, text in reversed(_OPTIONS):
        command = click.option(
            name,
            type=param_type,
            default=default,
            show_default=f"{default:,}" if isinstance(default, int) else True,
            envvar=f"SEEFOOD_{name.strip('-').replace('-', '_').upper()}",
            metavar="N",
            help=text,
        )(command)
    return command


def classify_options(params: Mapping[str, Any]) -> "ClassifyOptions":
    """Return the command's parameters as `ClassifyOptions`."""
    from seefood.classification import ClassifyOptions
    from seefood.imaging.limits import Limits

    limits = Limits(
        max_bytes=params["max_bytes"],
        max_pixels=params["max_pixels"],
        max_decode_bytes=params["max_memory"],
        max_frames=params["max_frames"],
        max_seconds=params["max_seconds"],
    )
    return ClassifyOptions(
        top_k=params["top_k"],
        limits=limits,
        salvage=params["salvage"],
        features=params.get("features", False),
    )
