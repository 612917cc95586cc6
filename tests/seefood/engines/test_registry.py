"""The table of engines, and an engine that is added through it."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from seefood.engines.registry import (
    AUTO,
    EngineSpec,
    Graph,
    engine_names,
    engine_spec,
    register_engine,
    selectable_engines,
)
from seefood.engines.threads import available_cores, compute_threads
from seefood.errors import UsageError
from tests.bundles import fake_bundle

_ROOT = Path(__file__).parents[3]
# In a process of its own, because a registered engine stays registered.
_PROGRAM = """
import sys
from seefood import load_bundle, load_engine
from seefood.engines.registry import EngineSpec, Graph, engine_names, register_engine

register_engine(
    EngineSpec(
        name="toy",
        factory="tests.seefood.engines.toy_engine:ToyEngine",
        graph=Graph.LITERT,
        threads_per_core=3,
    )
)
bundle = load_bundle(sys.argv[1])
print(load_engine(bundle, "toy").name, *engine_names(), file=sys.stderr)

from seefood.cli import main

main(["inspect", "--json", sys.argv[1]])
"""


def test_an_engine_is_added_through_the_public_registry_alone(tmp_path: Path) -> None:
    """A registered engine loads by name, is certified, and is listed with the others."""
    bundle = fake_bundle(tmp_path)
    bundle.file("saved_model.pb").unlink()  # so that TensorFlow is not imported
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(bundle.path)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"toy {' '.join(engine_names())} toy" == done.stderr.strip()
    engines = {engine["name"]: engine for engine in json.loads(done.stdout)["engines"]}
    assert ("certified", "refused") == (engines["toy"]["state"], engines["litert"]["state"])


def test_a_name_is_registered_once() -> None:
    """Neither `auto` nor a name that exists can be registered."""
    for name in (AUTO, "litert"):
        with pytest.raises(ValueError, match=f"there is already an engine '{name}'"):
            register_engine(EngineSpec(name=name, factory="a:b", graph=Graph.LITERT))


def test_the_fake_engine_is_not_for_users() -> None:
    """It can be loaded by name and is not listed."""
    assert "fake" == engine_spec("fake").name
    assert "fake" not in engine_names()
    assert (AUTO, *(spec.name for spec in selectable_engines())) == engine_names()


def test_an_unknown_engine_is_named() -> None:
    """The message lists the engines that exist."""
    with pytest.raises(UsageError, match="no engine 'onnx'; choose one of auto, litert, tensorf"):
        engine_spec("onnx")


def test_threads_follow_the_registry() -> None:
    """One thread for each core, two for OpenVINO, which computes on its own threads."""
    assert 1 <= available_cores() == compute_threads("litert") == compute_threads(AUTO)
    assert 2 * available_cores() == compute_threads("openvino-bf16")


def test_every_factory_is_where_its_spec_says() -> None:
    """Each engine whose library is installed can be imported."""
    for spec in (*selectable_engines(), engine_spec("fake")):
        if spec.is_installed and spec.name != "tensorflow":  # seconds; other tests load it
            module, _, name = spec.factory.partition(":")
            assert callable(getattr(import_module(module), name))
