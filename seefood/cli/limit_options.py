"""Options that say how much one picture may ask for, for every subcommand that labels pictures."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from seefood.imaging.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from seefood.classify import ClassifyOptions

_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


class Amount(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.5 only
    """A whole number from 1, with a unit if that is shorter: 20M, 500k, 1G."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value).strip().lower().removesuffix("b")
        digits, unit = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
        if not (digits.isascii() and digits.isdigit() and int(digits) and unit in _UNITS):
            words = f"{value!r} is no amount; write a whole number, or one with k, M or G"
            self.fail(words, param, ctx)
        return int(digits) * _UNITS[unit]


_OPTIONS: Final = (
    ("--max-bytes", Amount(), DEFAULT_LIMITS.max_bytes, "Of a picture's file."),
    ("--max-pixels", Amount(), DEFAULT_LIMITS.max_pixels, "Width x height, as its header says."),
    ("--max-memory", Amount(), DEFAULT_LIMITS.max_decode_bytes, "For decoding, in bytes."),
    ("--max-frames", Amount(), DEFAULT_LIMITS.max_frames, "Of an animation; the first counts."),
    (
        "--max-seconds",
        click.FloatRange(0.1, 86_400.0),
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
        help="Label a cut-off JPEG by what it still shows, as unsure.",
    )
    command = salvage(command)
    for name, kind, default, words in reversed(_OPTIONS):
        command = click.option(
            name,
            type=kind,
            default=default,
            show_default=f"{default:,}" if isinstance(default, int) else True,
            envvar=f"SEEFOOD_{name.strip('-').replace('-', '_').upper()}",
            metavar="N",
            help=words,
        )(command)
    return command


def classify_options(typed: Mapping[str, Any]) -> "ClassifyOptions":
    """Return how pictures are judged."""
    from seefood.classify import ClassifyOptions
    from seefood.imaging.limits import Limits

    limits = Limits(
        max_bytes=typed["max_bytes"],
        max_pixels=typed["max_pixels"],
        max_decode_bytes=typed["max_memory"],
        max_frames=typed["max_frames"],
        max_seconds=typed["max_seconds"],
    )
    return ClassifyOptions(top_k=typed["top_k"], limits=limits, salvage=typed["salvage"])
