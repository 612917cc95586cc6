"""Augmentation: random crops, tilts and colours of the training photos.

Geometry (crop, stretch, mirror, tilt) is one affine map for each picture, sampled in NumPy and
computed by TensorFlow for a whole batch; colour and mixing follow in the same graph.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_TILTED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much a view may differ from its photo. Zeros and `smallest_crop` 1 change nothing."""

    smallest_crop: float = 0.35
    """Smallest share of the photo's area that a crop keeps."""
    stretch: float = 0.29
    """Largest logarithm of a crop's aspect ratio."""
    tilt: float = 0.15
    """Standard deviation of the rotation in radians; half of the views are not rotated."""
    mirror: float = 0.5
    """Share of the views that are mirrored left to right."""
    saturation: float = 0.25
    contrast: float = 0.2
    brightness: float = 0.2
    tint: float = 0.06
    """Standard deviations of the logarithm of each factor."""
    mixup: float = 0.2
    """Parameter of the beta distribution that mixes two pictures (mixup, arXiv:1710.09412); 0 never
    mixes."""
    mixed_share: float = 0.5
    """Share of batches that are mixed."""


PHOTOS: Final = Augmentation()
NONE: Final = Augmentation(1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def sample_maps(
    rng: np.random.Generator,
    count: int,
    source: tuple[int, int],
    target: tuple[int, int],
    augmentation: Augmentation,
) -> Floats:
    """Return `count` affine maps from pixels of `target` to those of `source`.

    Both are (height, width). Of shape `(count, 8)`, as ImageProjectiveTransformV3 takes them.
    """
    area = rng.uniform(augmentation.smallest_crop, 1.0, count)
    aspect = np.exp(rng.uniform(-augmentation.stretch, augmentation.stretch, count))
    height = np.minimum(np.sqrt(area / aspect), 1.0) * source[0]
    width = np.minimum(np.sqrt(area * aspect), 1.0) * source[1]
    center_y = height / 2 + rng.random(count) * (source[0] - height)
    center_x = width / 2 + rng.random(count) * (source[1] - width)
    tilted = rng.random(count) < _TILTED
    angle = np.where(tilted, rng.normal(0.0, augmentation.tilt, count), 0.0)
    mirror = np.where(rng.random(count) < augmentation.mirror, -1.0, 1.0)
    scale_x, scale_y = mirror * width / target[1], height / target[0]
    a, b = scale_x * np.cos(angle), -scale_y * np.sin(angle)
    c, d = scale_x * np.sin(angle), scale_y * np.cos(angle)
    middle_y, middle_x = (target[0] - 1) / 2, (target[1] - 1) / 2
    left = center_x - 0.5 - a * middle_x - b * middle_y
    top = center_y - 0.5 - c * middle_x - d * middle_y
    zeros = np.zeros(count)
    return np.stack([a, b, left, c, d, top, zeros, zeros], axis=1).astype(np.float32)


def sample_mixing(rng: np.random.Generator, count: int, augmentation: Augmentation) -> Floats:
    """Return the share of each picture in its mixture, in [0.5, 1], of shape `(count,)`."""
    mixed = rng.random() < augmentation.mixed_share
    if not mixed or augmentation.mixup == 0:
        return np.ones(count, np.float32)
    share = rng.beta(augmentation.mixup, augmentation.mixup, count)
    return np.maximum(share, 1.0 - share).astype(np.float32)


def transform(pixels: Any, maps: Any, target: tuple[int, int]) -> Any:
    """Apply `maps` to uint8 `pixels`; return float32 in [0, 255] of size `target`."""
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(pixels, tf.float32),
        transforms=maps,
        output_shape=list(target),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def recolour(images: Any, seed: Any, augmentation: Augmentation) -> Any:
    """Return float `images` in [0, 255] with random colours; `seed` is two int32."""
    import tensorflow as tf

    count = tf.shape(images)[0]
    logs = tf.random.stateless_normal((count, 6), seed)[:, None, None, :]
    grey = tf.reduce_mean(images, -1, keepdims=True)
    images = grey + (images - grey) * tf.exp(logs[..., 0:1] * augmentation.saturation)
    mean = tf.reduce_mean(images, [1, 2, 3], keepdims=True)
    images = mean + (images - mean) * tf.exp(logs[..., 1:2] * augmentation.contrast)
    light = logs[..., 2:3] * augmentation.brightness + logs[..., 3:6] * augmentation.tint
    return tf.clip_by_value(images * tf.exp(light), 0.0, 255.0)


def mix(values: Any, shares: Any, partners: Any) -> Any:
    """Return each of `values` mixed with its partner: `share * value + (1 - share) * partner`."""
    import tensorflow as tf

    shape = [-1] + [1] * (len(values.shape) - 1)
    own_share = tf.reshape(shares, shape)
    return own_share * values + (1.0 - own_share) * tf.gather(values, partners)
