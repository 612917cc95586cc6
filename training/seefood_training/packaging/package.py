"""Makes a bundle of any model that people have: finds, opens, checks, wraps, certifies it."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seefood.errors import UsageError
from seefood.imaging.resize_rule import ResizeRule
from seefood_training.packaging.answers import (
    Answers,
    Values,
    choose_answers,
    rows_of,
    without_maps,
)
from seefood_training.packaging.asking import filter_effect, which_filter, which_range
from seefood_training.packaging.choosing import Chosen, Wish, choose_function
from seefood_training.packaging.examples import Examples, read_examples
from seefood_training.packaging.forms import open_model
from seefood_training.packaging.graphs import last_operation
from seefood_training.packaging.hints import Hint, hint
from seefood_training.packaging.input_ranges import GREY_RANGES, INPUT_RANGES
from seefood_training.packaging.labels import find_labels, read_labels
from seefood_training.packaging.locate import Found, located
from seefood_training.packaging.network import Opened
from seefood_training.packaging.options import PackageOptions
from seefood_training.packaging.outcome import NotReproducedError, Packaged, examples_as_json
from seefood_training.packaging.pixels import (
    ChannelOrder,
    PixelChoice,
    arithmetic,
    channel_order,
    check_whole_numbers,
    prepared,
    run,
)
from seefood_training.packaging.repeatable import probe_pictures
from seefood_training.packaging.search import Attempt, Search, pixels_as_json
from seefood_training.packaging.writing import Contents, write_bundle_of
from seefood_training.sealing import check_absent

_DEFAULTS: Final = PixelChoice("0..255", "bilinear", "stretch")
_TRIED_RANGES: Final = ("0..1", "-1..1", "0..255")


def package_model(
    model: str, output: Path, options: PackageOptions, *, overwrite: bool = False
) -> Packaged:
    """Write the bundle of what `model` names to the folder `output`, certified; atomic.

    Raises `UsageError` with the option that is missing or wrong, or the reason why the model is
    refused; `BundleError` if `output` exists or the engines' probabilities differ too much.
    """
    check_absent(output, overwrite=overwrite)
    with located(model) as found:
        opened = open_model(found)
        labels, notes = _labels(options, opened, found)
        wanted = options.pixels.channels
        channels = None if wanted is None else 1 if wanted == "grey" else 3
        wish = Wish(options.signature, options.size, channels, max(2, len(labels)))
        chosen = choose_function(opened, found.form, wish)
        work = _Work(opened, chosen, labels, options)
        work.notes += [*found.notes, *notes, *chosen.notes]
        work.decide()
        return work.write(found, output, overwrite=overwrite)


def _labels(
    options: PackageOptions, opened: Opened, found: Found
) -> tuple[tuple[str, ...], list[str]]:
    if options.labels is not None:
        return options.labels, []
    file = find_labels(found.folders)
    if file is not None:
        return read_labels(file), [f"took the labels of {file.name}"]
    if opened.labels:
        return opened.labels, ["took the labels inside the file"]
    raise UsageError(
        "the model does not name its classes; give `--labels FILE` with one a line, in the order "
        "of the model's outputs"
    )


class _Work:
    """One packaging: the facts as they are decided, in order."""

    def __init__(
        self, opened: Opened, chosen: Chosen, labels: tuple[str, ...], options: PackageOptions
    ) -> None:
        self.function, self.source, self.frozen = chosen.function, chosen.source, chosen.frozen
        self.opened, self.options = opened, options
        self.known = chosen.pixels
        self.notes: list[str] = []
        self.labels = self._with_opposite(labels)
        self.attempts: tuple[Attempt, ...] = ()
        self.examples: Examples | None = None

    def decide(self) -> None:
        """Determine the output and the pixels. Raises `UsageError` if they stay open."""
        stated = self.options.pixels.or_else(self.known)
        told = hint(self.opened, self.function, self.source, self.frozen)
        if self.options.examples is not None:
            self.examples = read_examples(self.options.examples, self.labels)
        self.answers = self._answers(stated.range)
        self.notes += self.answers.notes
        start = told.pixels if told else PixelChoice()
        if self.examples is not None:
            self.pixels = self._searched(stated, start.or_else(_DEFAULTS))
        else:
            self.pixels = self._told(stated, told)
        check_whole_numbers(self.function.name, self.source, self.pixels.range or "")
        order = channel_order(self.pixels.range or "", self.pixels.channels, self.source.channels)
        self.pixels = replace(self.pixels, channels=order)

    def write(self, found: Found, output: Path, *, overwrite: bool) -> Packaged:
        """Write the bundle."""
        record, rule = self._record(found), self._rule(self.pixels)
        thresholds = (0.5 if self.answers.multi_label else 0.0,) * len(self.labels)
        if self.options.calibration is not None:
            from seefood_training.packaging.calibration import choose as choose_thresholds

            chosen = choose_thresholds(
                self.options.calibration,
                self.labels,
                rule,
                self._own_answers,
                multi_label=self.answers.multi_label,
                made_from=found.path,
            )
            thresholds, record["acceptance"] = chosen.values, chosen.record
            self.notes += chosen.notes
        contents = Contents(
            name=self.options.name,
            labels=self.labels,
            thresholds=thresholds,
            rule=rule,
            function=self.function,
            source=self.source,
            arithmetic=arithmetic(self.pixels.range or "", self.pixels.channels),
            answers=self.answers,
            opened=self.opened,
            frozen=self.frozen,
            record=record,
            reference=self._own_answers,
            examples=self.examples,
            onnx=self.options.onnx,
        )
        written = write_bundle_of(contents, output, overwrite=overwrite)
        return Packaged(
            bundle=written.bundle,
            pixels=self.pixels,
            answers=self.answers,
            function=self.function.name,
            engines=written.engines,
            notes=tuple(self.notes),
            attempts=self.attempts,
            litert_error=written.litert_error,
        )

    def _with_opposite(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Return two labels where one is named: the other is its absence."""
        if len(labels) != 1 or self.options.answers.multi_label:
            return labels
        self.notes.append(f"the labels are 'not {labels[0]}' and {labels[0]!r}")
        return (f"not {labels[0]}", labels[0])

    def _rule(self, pixels: PixelChoice) -> ResizeRule:
        return ResizeRule(
            self.source.height,
            self.source.width,
            fit=pixels.fit or "stretch",
            filter=pixels.filter or "bilinear",
            scaled_decode=None,  # a model of unknown origin gets every pixel of the picture
            crop_share=pixels.crop_share or 1.0,
            channels="grey" if self.source.channels == 1 else "rgb",
        )

    def _answers(self, stated: str | None) -> Answers:
        """Return how the outputs become probabilities, from the outputs under several ranges."""
        images = probe_pictures(self.source.height, self.source.width, self.source.channels)
        outputs: dict[str, list[Values]] = {}
        for name in (stated,) if stated else _TRIED_RANGES:
            rows = rows_of(without_maps(self._run(images, name, None)), len(images))
            for key, values in rows.items():
                if stated or np.isfinite(values).all():
                    outputs.setdefault(key, []).append(values)
        joined = {key: np.concatenate(values) for key, values in outputs.items()}
        last = {key: self._last_operation(key) for key in joined}
        options = self.options.answers
        if self.examples is not None and self.examples.is_multi_label:
            options = replace(options, multi_label=True)
        return choose_answers(self.function, joined, self.labels, options, last)

    def _last_operation(self, output: str) -> str | None:
        return self.opened.last_operations.get(output) or last_operation(self.frozen, output)

    def _run(
        self, images: NDArray[np.uint8], range_name: str, channels: ChannelOrder | None
    ) -> dict[str, Any]:
        inputs = prepared(images, self.source, arithmetic(range_name, channels))
        return dict(run(self.function, self.source, inputs))

    def _probabilities(self, images: NDArray[np.uint8], pixels: PixelChoice) -> Values:
        outputs = self._run(images, pixels.range or "", pixels.channels)
        return self.answers.probabilities(rows_of(outputs, len(images))[self.answers.output])

    def _own_answers(self, images: NDArray[np.uint8]) -> Values:
        """Return the model's own probabilities under the pixels that were decided."""
        return self._probabilities(images, self.pixels)

    def _searched(self, stated: PixelChoice, start: PixelChoice) -> PixelChoice:
        assert self.examples is not None  # noqa: S101 (the caller checks it)
        search = Search(
            self.examples,
            self._rule(stated),
            stated,
            start,
            self._probabilities,
            self.answers.multi_label,
        )
        self.attempts = tuple(search.run())
        best = self.attempts[0]
        if not best.succeeds and not self.options.force:
            raise NotReproducedError(best, self.attempts)
        if not best.succeeds:
            self.notes.append("kept although it does not reproduce the examples (`--force`)")
        elif best.largest_difference is None:
            self.notes.append(
                "labels alone do not prove the filter: give a probability for each label"
            )
        return best.pixels

    def _told(self, stated: PixelChoice, told: Hint | None) -> PixelChoice:
        """Return the pixels that the user and the model state; ask for the range if none does."""
        pixels = stated
        if told is not None:
            taken = told.pixels.without(stated)
            pixels = stated.or_else(taken)
            if pixels != stated:
                self.notes.append(f"took the pixels {taken}, because {told.reason}")
        if pixels.range is None:
            images = probe_pictures(self.source.height, self.source.width, self.source.channels)
            ranges = tuple(INPUT_RANGES) if self.source.channels == 3 else GREY_RANGES
            raise which_range(
                self.function.name,
                ranges,
                images,
                self.labels,
                lambda some, name: self._probabilities(some, PixelChoice(name)),
            )
        final = pixels.or_else(_DEFAULTS)
        if told is not None and told.pixels.fit is not None:  # a tool whose exports are all alike
            return final
        if stated.filter is None:
            self._ask_for_filter(final)
        if stated.fit is None:
            self.notes.append(
                f"not proven: the fit {final.fit}; another one may cost 1 label in 5: prove the "
                "pixels with `--examples FILE`"
            )
        return final

    def _ask_for_filter(self, final: PixelChoice) -> None:
        """Raise `UsageError` if the answers depend on the filter, which nobody has stated."""
        rule = self._rule(final)
        effect = filter_effect(rule, lambda images: self._probabilities(images, final))
        if effect.matters:
            raise which_filter(self.function.name, effect)
        self.notes.append(
            f"not proven: the filter {final.filter}; on drawings another one changes a probability "
            f"by at most {effect.largest:.4f}"
        )

    def _record(self, found: Found) -> dict[str, Any]:
        record: dict[str, Any] = {
            "packaged_from": found.path.name,
            "form": self.opened.title,
            "signature": self.function.name,
            "input_range": self.pixels.range,
            "pixels": pixels_as_json(self.pixels),
            "answers": self.answers.activation,
            "quantisation": "float32",
        }
        if self.attempts:
            record["examples"] = examples_as_json(self.attempts)
        return record
