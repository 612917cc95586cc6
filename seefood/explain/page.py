"""Renders the figures and the text of one language as one self-contained HTML file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from markupsafe import Markup

from seefood.bundle import Bundle
from seefood.engines.loading import load_engine
from seefood.errors import UsageError
from seefood.explain import figures
from seefood.explain.classics import CLASSICS
from seefood.explain.curves import activation_curves
from seefood.explain.layers import find_layers
from seefood.explain.samples import sample_groups
from seefood.explain.trace import require_litert, trace_picture
from seefood.imaging.decode import decode
from seefood.pages import DOCUMENT, PageTemplates
from seefood.records import DIGEST_SHOWN
from seefood.sanitize import printable

if TYPE_CHECKING:
    from seefood.engines.base import Engine

Language = Literal["en", "pt"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "pt")
_UNFORESEEN: Final = (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError)
_HTML_LANGUAGE: Final = {"en": "en", "pt": "pt-BR"}
_TEMPLATES: Final = PageTemplates("seefood.explain")
_STYLE: Final = replace(DOCUMENT, script="page.js")
_CHAPTERS: Final = (
    "origin", "input", "convolution", "activation", "pooling", "dense", "layers", "use",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture to explain."""

    name: str
    data: bytes


def explain_picture(
    picture: Picture,
    bundle: Bundle,
    *,
    language: Language = "en",
    photos: Path | None = None,
    compared: Sequence[Bundle] = (),
) -> str:
    """Return an HTML page that explains what the network of `bundle` computes for `picture`.

    `photos` is a data set for the last chapter; `compared` are other bundles that classify the
    same picture. Raises `PictureError` for a picture that cannot be decoded, `UsageError` for a
    bundle without a LiteRT graph or with one that cannot be shown, `BundleError` for one that is
    not certified.
    """
    image = decode(picture.data, bundle.spec.rule)
    require_litert(bundle)
    engine = load_engine(bundle, "litert")
    samples = sample_groups(bundle, engine, photos)
    others = [_prediction(other, picture) for other in compared]
    try:
        return _page(picture, figures.analyze(bundle, engine, image), language, others, samples)
    except _UNFORESEEN as error:  # graphs have any form: rank, axes, layers
        raise UsageError(
            f"the layers of {bundle.path} have a form that `explain` cannot show ({error!r}); "
            "`seefood serve` shows which parts of a picture decided, for any model"
        ) from error


def _page(
    picture: Picture,
    analysis: figures.Analysis,
    language: Language,
    compared: list[dict[str, Any]],
    samples: list[Any],
) -> str:
    bundle = analysis.bundle
    text = _TEMPLATES.module(f"{language}.html", _number_formats(language))
    stepper = figures.stepper_figure(analysis)
    return _TEMPLATES.render(
        "page.html",
        _STYLE,
        **_number_formats(language),
        language=language,
        html_language=_HTML_LANGUAGE[language],
        chapters=_CHAPTERS,
        name=printable(picture.name),
        prediction={
            "label": bundle.labels[analysis.label],
            "probability": float(analysis.trace.probabilities[analysis.label]),
            "threshold": bundle.spec.thresholds[analysis.label],
        },
        model=_model(bundle, analysis),
        maps=figures.maps_figure(analysis),
        input=figures.input_figure(analysis),
        kernels=figures.kernels_figure(analysis),
        stepper=stepper,
        stepper_json=_script_json(stepper, str(text.step_sentence())),
        curves=activation_curves(),
        relu=figures.relu_figure(analysis),
        pooling=figures.pooling_figure(analysis),
        dense=figures.dense_figure(analysis),
        layers=figures.layers_figure(analysis),
        classics=CLASSICS,
        compared=compared,
        samples=samples,
    )


def _number_formats(language: Language) -> dict[str, Any]:
    """Return functions that format numbers; Brazilian Portuguese writes 1.234,5."""

    def localised(text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if language == "pt" else text

    return {
        "number": lambda value: localised(f"{value:,}"),
        "decimal": lambda value: localised(f"{value:.2f}"),
        "percent": lambda value: localised(f"{value:.1%}"),
    }


def _model(bundle: Bundle, analysis: figures.Analysis) -> dict[str, Any]:
    rule = bundle.spec.rule
    return {
        "name": bundle.name,
        "digest": bundle.digest[:DIGEST_SHOWN],
        "input_shape": rule.shape,
        "layers": len(analysis.layers),
        "depth": sum(layer.parameters > 0 for layer in analysis.layers),
        "parameters": sum(layer.parameters for layer in analysis.layers),
        "version": version("seefood"),
    }


def _prediction(bundle: Bundle, picture: Picture) -> dict[str, Any]:
    engine: Engine = load_engine(bundle)
    pixels = decode(picture.data, bundle.spec.rule).pixels
    probabilities = engine.predict(pixels[None])[0]
    best = int(probabilities.argmax())
    return {
        "name": bundle.name,
        "parameters": sum(layer.parameters for layer in find_layers(trace_picture(bundle, pixels))),
        "label": bundle.labels[best],
        "probability": float(probabilities[best]),
    }


def _script_json(stepper: dict[str, Any] | None, sentence: str) -> Markup:
    """Return the stepper's data as JSON; `<` is escaped, so no tag can end it."""
    data = None if stepper is None else {**stepper, "sentence": sentence}
    return Markup(json.dumps(data).replace("<", "\\u003c"))  # noqa: S704 (our own numbers, escaped)
