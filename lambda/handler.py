"""The Lambda's entry point, `handler.handler`."""

from seefood_lambda.entry_point import handler

__all__ = ["handler"]
