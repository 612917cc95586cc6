"""The options of commands that choose thresholds: when a picture is left `unsure`."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from seefood.cli.numbers import FloatRange

_F = TypeVar("_F", bound=Callable[..., Any])


def threshold_options(*accept_names: str, when: str = "") -> Callable[[_F], _F]:
    """Return a decorator that adds `--accept` and `--unsure-share`.

    `accept_names` are further names of the first; `when` begins both help texts.
    """

    def add(function: _F) -> _F:
        share = click.option(
            "--unsure-share",
            type=FloatRange(0.0, 0.95),
            default=0.3,
            show_default=True,
            metavar="R",
            help=_sentence(
                when,
                "largest share of pictures left `unsure`, even where `--accept` is then not "
                "reached.",
            ),
        )
        accept = click.option(
            "--accept",
            *accept_names,
            "accept",
            type=FloatRange(0.0001, 0.5),
            default=0.01,
            show_default=True,
            metavar="R",
            help=_sentence(
                when,
                "largest share of mistakes among the accepted pictures"
                + ("." if when else "; the others are `unsure`."),
            ),
        )
        return accept(share(function))

    return add


def reject_option(*, note: str = "") -> Callable[[_F], _F]:
    """Return a decorator that adds `--reject-unknown`; `note` ends its help text."""
    return click.option(
        "--reject-unknown",
        type=FloatRange(0.0005, 0.5),
        metavar="SHARE",
        help="Pictures that resemble the training photos less than all but this share of such "
        f"photos are `unsure`, whatever their score.{note}",
    )


def _sentence(when: str, text: str) -> str:
    return when + text if when else text[0].upper() + text[1:]
