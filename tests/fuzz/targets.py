"""The fuzz targets by name; a target's module is imported when it is used."""

from importlib import import_module
from typing import Final

from tests.fuzz.target import Target

MODULES: Final = {
    "picture": "pictures",
    "manifest": "manifests",
    "inventory": "manifests",
    "event": "events",
    "form": "events",
    "settings": "events",
    "bundle": "bundles",
    "graph": "bundles",
    "page": "listings",
    "listing": "listings",
    "part": "results",
    "lease": "results",
    "summary": "results",
    "prices": "results",
    "totals": "runs",
    "quote": "runs",
    "name": "names",
    "words": "commands",
    "command": "commands",
}
"""The module of this folder that defines each target."""


def load_target(name: str) -> Target:
    """Return the target `name`."""
    module = import_module(f"tests.fuzz.{MODULES[name]}")
    targets: tuple[Target, ...] = module.TARGETS
    return next(target for target in targets if target.name == name)
