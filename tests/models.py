"""Small networks with the layers that an export has to fold."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

SIZE = 32


def tiny_model(classes: int = 2, *, seed: int = 1, size: int = SIZE) -> "keras.Model":
    """Return a network of convolutions and batch norms from RGB in [0, 255] to logits."""
    import keras  # noqa: PLC0415 (collecting tests needs no TensorFlow)

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    image = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 127.5, -1)(image)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU(6)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.ReLU(6)(layers.BatchNormalization()(x))
    x = layers.Conv2D(16, 1)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, layers.Dense(classes)(x))
    randomise(model, seed)
    return model


def randomise(model: "keras.Model", seed: int) -> None:
    """Set statistics as after training, and weights whose outputs differ between pictures."""
    import keras  # noqa: PLC0415 (as above)

    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([_statistic(weight, rng) for weight in layer.weights])
    dense = model.layers[-1]
    dense.set_weights([rng.normal(0, 2, weight.shape) for weight in dense.weights])


def _statistic(weight: Any, rng: np.random.Generator) -> Any:
    positive = weight.name in {"gamma", "moving_variance"}
    return rng.uniform(0.5, 1.5, weight.shape) if positive else rng.normal(0, 0.3, weight.shape)
