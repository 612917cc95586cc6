"""Refuses outputs that are numbers for each picture and no scores of labels.

An index, a measured quantity, an embedding or a detector's boxes may have as many numbers as there
are labels, and would be taken for scores without any error.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood_training.packaging.network import Function, TensorSpec

_BOXES: Final = re.compile(
    r"(^|[/.])b?boxes$|num_detections|detection_(boxes|scores|classes|postprocess)"
)
_CHOSEN: Final = {"Max": "the largest of its scores", "ArgMax": "the index of the largest score"}
_BENT: Final = frozenset({"Relu", "Relu6", "Elu", "Selu", "Softplus", "Softsign", "Tanh"})
"""What neither scores that become probabilities nor probabilities end in."""
_SATURATED: Final = 7.0
"""A logit whose probability rounds to 0.999."""
SCORES_NEEDED: Final = "export the model with an output that has a score for each label"


def check_not_objects(function: Function) -> None:
    """Raise `UsageError` if an output has the boxes of a detector."""
    for spec in function.outputs:
        if _is_boxes(spec, function.outputs):
            raise UsageError(
                f"{function.name} returns boxes ({spec}): it finds objects in a picture and does "
                "not classify it; package a classifier, or choose the output that classifies the "
                "whole picture with `--output-name`"
            )


def _is_boxes(spec: TensorSpec, outputs: tuple[TensorSpec, ...]) -> bool:
    if _BOXES.search(spec.name.lower()):
        return True
    shape = spec.shape or ()
    if len(shape) != 3 or shape[1] in {None, 1} or (shape[2] or 0) < 4:
        return False
    # Some detectors have more than four numbers a box, and a score for each in another output.
    return shape[2] == 4 or any(
        each is not spec and (each.shape or ())[1:] in {(shape[1],), (shape[1], 1)}
        for each in outputs
    )


def check_scores(
    function: Function,
    output: str,
    values: NDArray[np.float32],
    last_operation: str | None,
    *,
    is_stated: bool,
) -> None:
    """Raise `UsageError` if `values`, of `(n, columns)`, are no scores of labels.

    `is_stated` is whether the user says that they are. `last_operation` computes them, if known.
    """
    described = f"the output {output} of {function.name}"
    single = values.shape[1] == 1
    if last_operation == "TopK":
        raise UsageError(
            f"{described} is sorted (TopK), so that its numbers belong to other labels for each "
            "picture; export the scores before that"
        )
    if single and last_operation in _CHOSEN:
        raise UsageError(f"{described} is {_CHOSEN[last_operation]}; {SCORES_NEEDED}")
    if single and last_operation == "Softmax":
        raise UsageError(
            f"{described} is a softmax of one number, which is 1 for every picture; train the "
            "network again with `sigmoid` in its place, or with one output for each label"
        )
    if single and values.max() > 1 and np.ptp(values) > 0 and np.all(values == np.rint(values)):
        raise UsageError(
            f"{described} is a whole number for each picture ({_span(values)}), as the index of "
            f"a class is; {SCORES_NEEDED}"
        )
    if is_stated:
        return
    if single and np.abs(values).min() > _SATURATED and np.ptp(np.sign(values)) == 0:
        raise UsageError(
            f"{described} is one number, {_span(values)} for all drawings: if it is a logit, whose "
            "sign tells the label, use `--logits`; if it measures a quantity, the model does not "
            "classify"
        )
    if not single and _is_unit_vector(values):
        raise UsageError(
            f"{described} is a vector of length 1, as an embedding is, and no probabilities; "
            f"{SCORES_NEEDED}, or use `--logits` if a softmax of these numbers is right"
        )
    if last_operation in _BENT and not _adds_up(values):
        raise UsageError(
            f"{described} ends in {last_operation}, which makes neither probabilities nor logits; "
            f"package the model with its last activation, or use `--logits` if "
            f"{'a sigmoid' if single else 'a softmax'} of these numbers is right"
        )


def warning_of_equal_answers(values: NDArray[np.float32]) -> str | None:
    """Return a warning if `values` are the same for all pictures."""
    if np.ptp(values, axis=0).max() > 0:
        return None
    return (
        f"all {len(values)} answers to drawings are the same: the weights may be missing, or the "
        "range be wrong; measure the bundle with `seefood evaluate`"
    )


def _is_unit_vector(values: NDArray[np.float32]) -> bool:
    lengths = np.linalg.norm(values.astype(np.float64), axis=1)
    return bool(np.abs(lengths - 1).max() < 1e-3) and not _adds_up(values)


def _adds_up(values: NDArray[np.float32]) -> bool:
    return bool(values.min() >= 0 and np.abs(values.sum(axis=1) - 1).max() < 0.01)


def _span(values: NDArray[np.float32]) -> str:
    return f"{values.min():.4g} to {values.max():.4g}"
