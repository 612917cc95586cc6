"""Chooses the faster variant of a bundle that `--fast` runs."""

from pathlib import Path
from typing import NamedTuple

from seefood.bundle import (
    DEFAULT_POINTS,
    Bundle,
    Variant,
    digest_matches,
    load_variants,
)
from seefood.bundle.named import open_bundle
from seefood.bundle.variants import no_variant_because
from seefood.engines.loading import create_engine
from seefood.engines.registry import AUTO, engine_spec
from seefood.errors import BundleError, UsageError
from seefood.records import DIGEST_SHOWN
from seefood.sanitize import printable, shown


def fast_variant(
    bundle: Bundle, points: float = DEFAULT_POINTS, engine: str = AUTO
) -> tuple[Bundle, Variant]:
    """Return the fastest variant of `bundle` that loses at most `points` percentage points.

    The loss is the measured one that the variant's certificate states. `engine` other than `auto`
    allows only variants for that engine; a variant whose engine is not installed, or does not run
    on this processor, is passed over. Raises `UsageError` with every variant and its reason if none
    is left, `BundleError` for a variant that is damaged.
    """
    reasons = []
    for each in load_variants(bundle):
        stated = each.variant
        if stated is None:
            continue
        reason = _reason_against(each, stated, points, engine)
        if reason is None:
            return each, stated
        reasons.append((stated.name, reason))
    if not reasons:
        raise UsageError(_none_because(bundle))
    found = "; ".join(f"{name} {reason.what}" for name, reason in reasons)
    cures = ", or ".join(dict.fromkeys(reason.cure for _, reason in reasons))
    raise UsageError(
        f"no faster variant of {bundle.name} fits `--fast={points:g}`: {found}; {cures}, or leave "
        "`--fast` out"
    )


def choose_bundle(
    model: str | Path | Bundle | None = None,
    digest: str | None = None,
    engine: str = AUTO,
    *,
    fast: bool | float | None = None,
) -> tuple[Bundle, str]:
    """Return the bundle that `model` names, or its variant that `fast` allows, and what runs it.

    `fast` is how many percentage points of accuracy may be lost; True stands for 0.5, None and
    False for no variant. `digest` pins the returned bundle: a variant is not part of its bundle's
    digest. Raises `BundleError`, also for another digest, and `UsageError`.
    """
    points = _points(fast)
    if points is None:
        return open_bundle(model, digest), engine
    bundle, variant = fast_variant(open_bundle(model, with_variants=True), points, engine)
    if digest is not None and not digest_matches(bundle.digest, digest):
        raise BundleError(
            f"`--fast` runs {bundle.name}, whose digest is {bundle.digest[:DIGEST_SHOWN]}; "
            f"{digest!r} was expected: with `--fast`, the digest is that of the variant, which "
            "`seefood inspect` shows"
        )
    return bundle, variant.engine


def _points(fast: object) -> float | None:
    if fast is None or isinstance(fast, bool):
        return DEFAULT_POINTS if fast else None
    if not isinstance(fast, (int, float)) or not 0 <= fast <= 100:
        raise UsageError(
            f"fast is {shown(fast)}; it is how many percentage points of accuracy may be lost, "
            "from 0 to 100, or True for 0.5"
        )
    return float(fast)


def _none_because(bundle: Bundle) -> str:
    """Return why `bundle` has no faster variant, and how to add one."""
    if (obstacle := no_variant_because(bundle)) is not None:
        return f"{bundle.name} can have no faster variant: {obstacle}; leave `--fast` out"
    package = f"`seefood package {bundle.path} --fast-data PHOTOS --output BUNDLE`"
    if bundle.has_saved_model:
        return f"{bundle.name} has no faster variant; add one with {package}, or leave `--fast` out"
    return (
        f"{bundle.name} has no faster variant, and without a SavedModel it can have no int8; add a "
        f"cascade with `seefood cascade SMALL {bundle.path} PHOTOS --as-variant --output BUNDLE`, "
        f"or bf16, on a processor that computes in it, with {package}, or leave `--fast` out"
    )


class _Reason(NamedTuple):
    """Why a variant cannot be taken, and what would change that."""

    what: str
    cure: str


def _reason_against(bundle: Bundle, variant: Variant, points: float, engine: str) -> _Reason | None:
    """Return why the variant cannot be taken, or None."""
    loss = variant.loss.points
    if engine not in (AUTO, variant.engine):
        return _Reason(f"is for the engine {variant.engine}", "leave `--engine` out")
    if loss > points:
        return _Reason(f"loses {loss:.2f} points", "allow a larger loss with `--fast=POINTS`")
    try:
        spec = engine_spec(variant.engine)
    except UsageError:
        what = f"needs the engine {printable(variant.engine)}, which this version does not have"
        return _Reason(what, "use a newer seefood")
    if not spec.is_installed:
        package = f"seefood[{spec.extra}]" if spec.extra else spec.library
        return _Reason(f"needs {spec.title}", f'run `pip install "{package}"`')
    if not spec.is_exact:
        try:
            create_engine(bundle, variant.engine)
        except (UsageError, BundleError) as error:
            return _Reason(f"does not run here ({error})", "use another processor")
    return None
