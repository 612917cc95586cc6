"""Numbers that options take."""

import math
from typing import Any

import click


class FloatRange(click.FloatRange):
    """A range of numbers without `nan`, which click lets through: it is below and above nothing."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number
