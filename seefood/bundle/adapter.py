"""How a graph that was not made for seefood is called: what `bundle.json` states as `adapter`.

A bundle that holds a `.tflite` or `.onnx` file as its author exported it says here how pixels
become the graph's input and how its output becomes probabilities. `seefood.engines.adapting`
computes it. Graphs that seefood converted take uint8 pixels and need no adapter.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from seefood.imaging.resize_rule import ResizeRule

Dtype = Literal[
    "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"
]
Layout = Literal["nhwc", "nchw", "nhw", "flat", "hwc", "chw", "hw"]
"""The axes of the input: number of pictures, height, width, channels; `flat` is the number of
pictures and all values of one in the order of height, width, channels."""
ChannelOrder = Literal["rgb", "bgr"]
Activation = Literal["none", "softmax", "sigmoid"]
_CHOICES: Final = {
    "dtype": get_args(Dtype),
    "layout": get_args(Layout),
    "order": get_args(ChannelOrder),
    "activation": get_args(Activation),
}
_NESTED: Final = ("input_quantisation", "output_quantisation")
_MAX_BATCH: Final = 4096


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How an integer tensor stands for real numbers: `(stored - zero_point) * scale`."""

    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True)
class Adapter:
    """The input and the output of a graph that is taken as it is."""

    dtype: Dtype = "uint8"
    """Of the input tensor."""
    layout: Layout = "nhwc"
    scale: tuple[float, ...] = (1.0,)
    """The input is `pixel * scale + offset`: one number, or one a channel in the order RGB."""
    offset: tuple[float, ...] = (0.0,)
    order: ChannelOrder = "rgb"
    """`bgr` reverses the channels after scale and offset."""
    input_quantisation: Quantisation | None = None
    """The input is stored as integers by this rule, after scale and offset."""
    batch: int | None = None
    """How many pictures a call takes, exactly; None for any number. Without meaning for layouts
    that have no axis for it."""
    output: int | str = 0
    """Which output has one number for each label: its index or its name."""
    output_quantisation: Quantisation | None = None
    activation: Activation = "none"
    """What turns the output into probabilities; `sigmoid` is applied to each number."""
    positive: int | None = None
    """If the graph returns one number for two labels: the index of the label whose probability it
    is; the other label has the rest."""

    @property
    def has_batch_axis(self) -> bool:
        """Whether the input's first axis counts pictures."""
        return self.layout in {"nhwc", "nchw", "nhw", "flat"}

    def picture_shape(self, rule: ResizeRule) -> tuple[int, ...]:
        """Return the shape of one picture in the input tensor, without the axis of pictures."""
        height, width, channels = rule.shape
        if self.layout == "flat":
            return (height * width * channels,)
        sizes = {"h": height, "w": width, "c": channels}
        return tuple(sizes[axis] for axis in self.layout.removeprefix("n"))

    def as_json(self) -> dict[str, Any]:
        """Return the fields that are not default."""
        default = asdict(Adapter())
        document = asdict(self)
        return {name: value for name, value in document.items() if value != default[name]}


def adapter_from_json(document: Mapping[str, Any]) -> Adapter:
    """Return the adapter that `as_json` wrote. Raises `ValueError` or `TypeError` if invalid."""
    values = dict(document)
    for name, choices in _CHOICES.items():
        if values.get(name, choices[0]) not in choices:
            raise ValueError(f"the {name} {values[name]!r} of its adapter")
    for name in ("scale", "offset"):
        if name in values:
            values[name] = tuple(map(float, values[name]))
    for name in _NESTED:
        if (stated := values.get(name)) is not None:
            values[name] = Quantisation(float(stated["scale"]), int(stated["zero_point"]))
    for name in ("batch", "positive"):
        if values.get(name) is not None:
            values[name] = int(values[name])
    if not isinstance(values.get("output", 0), int | str):
        raise ValueError(f"the output {values['output']!r} of its adapter")  # noqa: TRY004 (as above)
    return Adapter(**values)


def adapter_problem(adapter: Adapter, rule: ResizeRule, labels: int) -> str | None:
    """Return what is wrong with `adapter` in a bundle with `rule` and `labels`, or None."""
    channels = rule.shape[2]
    if not {len(adapter.scale), len(adapter.offset)} <= {1, channels}:
        return f"its adapter has {len(adapter.scale)} scales for {channels} channels"
    if adapter.layout in {"nhw", "hw"} and channels != 1:
        return f"its adapter's layout {adapter.layout!r} has no axis for {channels} channels"
    if adapter.batch is not None and not 0 < adapter.batch <= _MAX_BATCH:
        return f"its adapter takes {adapter.batch} pictures at a time"
    if adapter.positive is not None and not (labels == 2 and adapter.positive in (0, 1)):
        return f"its adapter gives one number to label {adapter.positive} of {labels}"
    if any(each is not None and each.scale <= 0 for each in _quantisations(adapter)):
        return "its adapter's quantisation has no scale above 0"
    return None


def _quantisations(adapter: Adapter) -> tuple[Quantisation | None, Quantisation | None]:
    return adapter.input_quantisation, adapter.output_quantisation
