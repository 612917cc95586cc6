"""Every fuzz target by its name, imported when it is asked for."""

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
"""Which module of this folder has which target."""


def load_target(name: str) -> Target:
    """Return the target `name`."""
    module = import_module(f"tests.fuzz.{MODULES[name]}")
    targets: tuple[Target, ...] = module.TARGETS
    return next(target for target in targets if target.name == name)
