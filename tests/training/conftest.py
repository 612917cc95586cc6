"""Fixtures of the training tests."""

import gc

import pytest


@pytest.fixture(scope="session")
def uncollected_imports() -> None:
    """Keep the objects of TensorFlow and Keras out of the collections to come.

    LiteRT's converter collects all garbage for each graph, which takes a second with them.
    """
    import keras  # noqa: F401, PLC0415 (tests are collected without TensorFlow, too)
    import tensorflow as tf  # noqa: F401, PLC0415 (as above)

    gc.collect()
    gc.freeze()
