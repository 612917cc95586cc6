"""The extras of the package, and what a command says whose libraries are not installed."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from seefood.errors import UsageError


@dataclass(frozen=True, slots=True)
class Extra:
    """One of `pip install "seefood[name]"`."""

    name: str
    libraries: dict[str, str]
    """Names for users, by import name."""
    purpose: str

    @property
    def cure(self) -> str:
        """The command that installs it."""
        return f'pip install "seefood[{self.name}]"'

    @property
    def missing(self) -> list[str]:
        """The names of its libraries that are not installed."""
        return [title for module, title in self.libraries.items() if find_spec(module) is None]


EXTRAS: Final = (
    Extra("beam", {"apache_beam": "Apache Beam"}, "seefood classify"),
    Extra(
        "tensorflow",
        {"tensorflow": "TensorFlow"},
        "seefood train, package, and --engine tensorflow",
    ),
    Extra("openvino", {"openvino": "OpenVINO"}, "--engine openvino"),
    Extra(
        "onnx",
        {"onnxruntime": "ONNX Runtime"},
        "--engine onnxruntime, and package of .onnx files",
    ),
    Extra("otel", {"opentelemetry": "OpenTelemetry"}, "what OTEL_… variables ask for"),
    Extra(
        "train",
        {
            "matplotlib": "matplotlib",
            "sklearn": "scikit-learn",
            "scipy": "SciPy",
            "flatbuffers": "FlatBuffers",
            "threadpoolctl": "threadpoolctl",
        },
        "seefood train, evaluate, teach and cascade",
    ),
    Extra("demo", {"moto": "moto", "flask": "Flask"}, "seefood demo"),
)


def require(command: str, extra: str, *modules: str) -> None:
    """Raise `UsageError` with the command that installs `extra` if one of `modules` is absent."""
    titles = {name: title for each in EXTRAS for name, title in each.libraries.items()}
    missing = [titles.get(name, name) for name in modules if find_spec(name) is None]
    if missing:
        raise UsageError(_needs(f"`seefood {command}`", missing, extra))


def absent_library(error: ModuleNotFoundError) -> str | None:
    """Return the message for a library of an extra that is not installed; None for others."""
    module = (error.name or "").partition(".")[0]
    for extra in EXTRAS:
        if title := extra.libraries.get(module):
            return _needs("this command", [title], extra.name)
    return None


def _needs(what: str, missing: list[str], extra: str) -> str:
    *first, last = missing
    names = f"{', '.join(first)} and {last}" if first else last
    verb = "are" if first else "is"
    return f'{what} needs {names}, which {verb} not installed; run `pip install "seefood[{extra}]"`'
