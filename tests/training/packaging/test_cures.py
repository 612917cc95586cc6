"""The option that a refusal names is tried: with it the command makes a bundle."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner, Result

from seefood.bundle import load_bundle
from seefood.errors import UsageError
from seefood_training.commands.package import package_command

pytest.importorskip("seefood.engines.onnxruntime_library", reason="the extra onnx is not installed")
onnx = pytest.importorskip("onnx", reason="makes the networks")

from tests.onnx_graphs import linear_graph, weights  # noqa: E402 (after the check)

RANGE = ("--input-range", "0..1")
KNOWN = (*RANGE, "--filter", "bilinear", "--fit", "stretch")
LABELS = "a\nb\nc\nd\n"


class Refusal(NamedTuple):
    """A command that is refused, and the one that its message names."""

    wrong: tuple[str, ...]
    message: str
    right: tuple[str, ...]
    make: Callable[[Path], Path]
    labels: str = LABELS
    right_labels: str | None = None


def _graph(file: Path, columns: int = 4, scale: float = 9, **how: object) -> Path:
    return linear_graph(file, weights(columns) * scale, **how)  # type: ignore[arg-type]  # as given


def _plain(folder: Path) -> Path:
    return _graph(folder / "m.onnx")


def _softmax(folder: Path) -> Path:
    return _graph(folder / "m.onnx", last="Softmax")


def _any_size(folder: Path) -> Path:
    return _graph(folder / "m.onnx", shape=("batch", 3, "height", "width"))


def _grey(folder: Path) -> Path:
    matrix = weights(4, channels=1) * 9
    return linear_graph(folder / "m.onnx", matrix, shape=("batch", 1, 16, 16))


def _bytes(folder: Path) -> Path:
    return _graph(folder / "m.onnx", scale=0.03, dtype=onnx.TensorProto.UINT8)


def _three_of_three(folder: Path) -> Path:
    return _graph(folder / "m.onnx", columns=3)


def _one_logit(folder: Path) -> Path:
    return _graph(folder / "m.onnx", columns=1)


REFUSALS = {
    "no range": Refusal((), "say which with `--input-range`", KNOWN, _plain),
    "no labels": Refusal(KNOWN, "give `--labels FILE`", KNOWN, _plain, "", LABELS),
    "too few labels": Refusal(KNOWN, "check `--labels`", KNOWN, _plain, "a\nb\n", LABELS),
    "an equal label": Refusal(KNOWN, "has 'a' twice", KNOWN, _plain, "a\nb\na\nd\n", LABELS),
    "any size": Refusal(KNOWN, "`--size WxH`", (*KNOWN, "--size", "16x16"), _any_size),
    "another size": Refusal(
        (*KNOWN, "--size", "8x8"), "`--size 8x8` contradicts .*leave the option out", KNOWN, _plain
    ),
    "a malformed size": Refusal(
        (*KNOWN, "--size", "big"), "such as 224x224", (*KNOWN, "--size", "16x16"), _plain
    ),
    "grey": Refusal(
        (*KNOWN, "--channels", "rgb"),
        "`--channels rgb` contradicts graph, which takes 1 channel .*leave the option out",
        KNOWN,
        _grey,
    ),
    "no grey": Refusal(
        (*KNOWN, "--channels", "grey"), "`--channels grey` contradicts .*leave it out|leave the "
        "option out", KNOWN, _plain
    ),
    "whole numbers": Refusal(
        KNOWN, "takes whole numbers .*`--input-range 0..1`; leave the option out", KNOWN[2:], _bytes
    ),
    "probabilities that are none": Refusal(
        (*KNOWN, "--probabilities"), "use `--logits`, or `--multi-label`", (*KNOWN, "--logits"),
        _plain,
    ),
    "a second softmax": Refusal(
        (*KNOWN, "--logits"), "returns probabilities already; leave `--logits` out", KNOWN, _softmax
    ),
    "two outputs that fit": Refusal(
        KNOWN,
        "features and scores have a number for each label .* choose one with `--output-name`",
        (*KNOWN, "--output-name", "scores"),
        _three_of_three,
        "a\nb\nc\n",
    ),
    "no such output": Refusal(
        (*KNOWN, "--output-name", "other"), "has no output 'other'; it has features, scores",
        (*KNOWN, "--output-name", "scores"), _plain,
    ),
    "no such signature": Refusal(
        (*KNOWN, "--signature", "other"), "has no signature 'other'; it has graph",
        (*KNOWN, "--signature", "graph"), _plain,
    ),
    "a positive label of several": Refusal(
        (*KNOWN, "--positive", "a"), "`--positive` is for a model with one output; .*leave the "
        "option out", KNOWN, _plain
    ),
    "no such positive label": Refusal(
        (*KNOWN, "--positive", "c"), "`--positive c` is none of the labels; give one of a or b",
        (*KNOWN, "--positive", "a"), _one_logit, "a\nb\n",
    ),
    "a share of no crop": Refusal(
        (*KNOWN, "--crop-share", "0.9"), "leave one of them out", KNOWN, _plain
    ),
    "a malformed range": Refusal(
        ("--input-range", "wide"), "0..255, 0..1, -1..1, imagenet, caffe, or MEAN/STD", KNOWN,
        _plain,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_the_named_option_helps(case: Refusal, tmp_path: Path) -> None:
    """What is refused in one sentence works with the option that the sentence names."""
    source = case.make(tmp_path)
    refused = _run(source, tmp_path, case.labels, case.wrong)
    assert isinstance(refused.exception, UsageError)
    assert not (tmp_path / "b").exists()
    with pytest.raises(UsageError, match=case.message):
        raise refused.exception
    made = _run(source, tmp_path, case.right_labels or case.labels, case.right)
    assert made.exception is None, made.exception
    assert load_bundle(tmp_path / "b").labels == tuple((case.right_labels or case.labels).split())


def test_a_bundle_is_used_as_it_is(tmp_path: Path) -> None:
    """The message says `--model`, which takes the bundle."""
    assert _run(_plain(tmp_path), tmp_path, LABELS, KNOWN).exception is None
    again = _run(tmp_path / "b", tmp_path, LABELS, KNOWN, output="c")
    with pytest.raises(UsageError, match="is a bundle already; use it with `--model`"):
        raise again.exception or AssertionError
    assert load_bundle(tmp_path / "b").spec.rule.shape == (16, 16, 3)


def test_a_batch_of_eight_is_exported_again(tmp_path: Path) -> None:
    """A graph for exactly eight pictures is refused; one for any number is the cure."""
    eight = _graph(tmp_path / "m.onnx", shape=(8, 3, 16, 16))
    refused = _run(eight, tmp_path, LABELS, KNOWN)
    with pytest.raises(UsageError, match=r"exactly 8 pictures .* batch size of None or 1"):
        raise refused.exception or AssertionError
    assert _run(_plain(tmp_path), tmp_path, LABELS, KNOWN).exception is None


def test_labels_of_ultralytics(tmp_path: Path) -> None:
    """An Ultralytics export of a YOLO classifier names its labels, and its pixels are known."""
    model = onnx.load(_graph(tmp_path / "plain.onnx", last="Softmax"))
    names = {0: "cat", 1: "dog", 2: "it's", 3: "owl"}
    facts = {"author": "Ultralytics", "task": "classify", "names": str(names)}
    onnx.helper.set_model_props(model, facts)
    onnx.save(model, tmp_path / "m.onnx")
    made = _run(tmp_path / "m.onnx", tmp_path, "", ())
    assert made.exception is None
    bundle = load_bundle(tmp_path / "b")
    assert tuple(names.values()) == bundle.labels
    assert ("crop", "bilinear") == (bundle.spec.rule.fit, bundle.spec.rule.filter)
    assert "because Ultralytics exported it" in made.stderr


@pytest.mark.parametrize(
    "names", ["__import__('os')", "{0: 'a', 2: 'b'}", "[1, 2]", "{", "[" * 400]
)
def test_names_that_are_none(names: str, tmp_path: Path) -> None:
    """Metadata that is no list of labels is passed over; none of it is run."""
    model = onnx.load(_graph(tmp_path / "plain.onnx"))
    onnx.helper.set_model_props(model, {"names": names})
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(UsageError, match="does not name its classes"):
        raise _run(tmp_path / "m.onnx", tmp_path, "", KNOWN).exception or AssertionError


def _run(
    source: Path, folder: Path, labels: str, options: tuple[str, ...], output: str = "b"
) -> Result:
    arguments = [str(source), "--output", str(folder / output), *options]
    if labels:
        (folder / "given.txt").write_text(labels)
        arguments += ["--labels", str(folder / "given.txt")]
    return CliRunner().invoke(package_command, arguments)
