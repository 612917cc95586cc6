"""PyTorch: a data set of files in a DataLoader, and torchvision's MobileNetV2 on the CPU.

The data set is that of PyTorch's tutorial on data sets and loaders, the transforms are those that
torchvision documents for its classification networks. Stride-2 convolutions are padded as
TensorFlow pads them (below and to the right only), because the weights were trained so.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.io import ImageReadMode, decode_image
from torchvision.models import mobilenet_v2
from torchvision.transforms import v2

from benchmarks.contenders.rows import Row, write_rows
from benchmarks.job import Job, read_job, timed

_KERAS_EPSILON = 1e-3


class Pictures(Dataset[Any]):
    """The pictures at the network's size."""

    def __init__(self, paths: Sequence[str], side: int) -> None:
        self._paths = paths
        self._transform = v2.Compose([
            v2.Resize((side, side), antialias=True),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(mean=[0.5] * 3, std=[0.5] * 3),
        ])  # fmt: skip

    def __len__(self) -> int:
        """See PyTorch."""
        return len(self._paths)

    def __getitem__(self, at: int) -> tuple[str, Any]:
        """See PyTorch."""
        path = self._paths[at]
        return path, self._transform(decode_image(path, mode=ImageReadMode.RGB))


def load(job: Job) -> Any:
    """Return torchvision's network with the weights of the benchmark's Keras network."""
    norm = partial(nn.BatchNorm2d, eps=_KERAS_EPSILON)
    model = mobilenet_v2(num_classes=len(job.labels), norm_layer=norm)
    with np.load(job.torch) as weights:
        state = {name: torch.from_numpy(weights[name]) for name in weights.files}
    model.load_state_dict(state, strict=False)  # without the norms' counters of batches
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                child.padding = (0, 0)
                setattr(parent, name, nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), child))
    return model.eval()


def main(job: Job) -> None:
    """Decode in a process per core, infer in batches, write."""
    rows: list[Row] = []
    with timed(job), torch.inference_mode():
        model = load(job)
        pictures = Pictures(job.pictures, job.side)
        for paths, images in DataLoader(pictures, batch_size=32, num_workers=job.threads):
            scores, best = torch.softmax(model(images), dim=1).max(dim=1)
            for path, at, score in zip(paths, best.tolist(), scores.tolist(), strict=True):
                rows.append((path, job.labels[at], score))
        write_rows(job, rows)


if __name__ == "__main__":
    main(read_job())
