"""Chooses the faster variant of a bundle that `--fast` runs."""

from pathlib import Path
from typing import NamedTuple

from seefood.bundle import (
    DEFAULT_POINTS,
    Bundle,
    Variant,
    digest_matches,
    load_bundle,
    load_variants,
)
from seefood.engines.loading import create_engine
from seefood.engines.registry import AUTO, engine_spec
from seefood.errors import BundleError, UsageError
from seefood.records import DIGEST_SHOWN


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
        raise UsageError(
            f"{bundle.name} has no faster variant; add one with `seefood package {bundle.path} "
            "--fast-data PHOTOS --output BUNDLE`, or leave `--fast` out"
        )
    found = "; ".join(f"{name} {reason.what}" for name, reason in reasons)
    cures = ", or ".join(dict.fromkeys(reason.cure for _, reason in reasons))
    raise UsageError(
        f"no faster variant of {bundle.name} fits `--fast={points:g}`: {found}; {cures}, or leave "
        "`--fast` out"
    )


def pinned_fast_variant(
    folder: Path, points: float, engine: str = AUTO, digest: str | None = None
) -> tuple[Bundle, Variant]:
    """Return the variant of the bundle in `folder`, as `fast_variant` does, if it has `digest`.

    `digest` pins the variant, which is the model that runs: it is not part of its bundle's digest.
    Raises `BundleError` for another one.
    """
    bundle, variant = fast_variant(load_bundle(folder), points, engine)
    if digest is not None and not digest_matches(bundle.digest, digest):
        raise BundleError(
            f"`--fast` runs {bundle.name}, whose digest is {bundle.digest[:DIGEST_SHOWN]}; "
            f"{digest!r} was expected: with `--fast`, the digest is that of the variant, which "
            "`seefood inspect` shows"
        )
    return bundle, variant


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
    spec = engine_spec(variant.engine)
    if not spec.is_installed:
        package = f"seefood[{spec.extra}]" if spec.extra else spec.library
        return _Reason(f"needs {spec.title}", f'run `pip install "{package}"`')
    if not spec.is_exact:
        try:
            create_engine(bundle, variant.engine)
        except (UsageError, BundleError) as error:
            return _Reason(f"does not run here ({error})", "use another processor")
    return None
