"""`seefood promote`: puts another model into use if audited pictures show that it is better."""

import json

import click

from seefood.cli.numbers import FloatRange


@click.command("promote")
@click.argument("bundle", metavar="[BUNDLE]", required=False)
@click.option("--to", "pointer", required=True, metavar="FILE", help="Says which model is in use.")
@click.option("--on", "dest", metavar="DEST", help="Results of both models, with an audit.")
@click.option(
    "--margin",
    metavar="SHARE",
    type=FloatRange(0.0, 0.2),
    default=0.0,
    show_default=True,
    help="For a smaller or faster model: so far below 0 the bound of the difference may be, if the "
    "estimate is not.",
)
@click.option("--back", is_flag=True, help="Put the model before into use again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def promote_command(
    *,
    bundle: str | None,
    pointer: str,
    dest: str | None,
    margin: float,
    back: bool,
    as_json: bool,
) -> int:
    """Put BUNDLE into use if it is right more often on fresh audited pictures; else exit code 1.

    FILE, a path or URI that ends in .json, says which model is in use: `--model FILE` runs it, and
    `make deploy MODEL=…` deploys what it names. Without FILE, BUNDLE is the first model. DEST has
    the rows of both models for the same pictures and an audit that began after BUNDLE had labelled
    them.

    \b
    Examples:
      seefood promote first-model --to current.json
      seefood promote taught --to current.json --on results
      seefood promote --back --to current.json
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.bundle import load_bundle
    from seefood.bundle.pointer import SUFFIX, InUse, Pointer, read_pointer, write_pointer
    from seefood.cli.options import model_path
    from seefood.errors import UsageError
    from seefood.promotion.audited import audited_pairs
    from seefood.promotion.comparison import compare_pairs
    from seefood.records import format_utc, utc_now
    from seefood.storage.uris import parse_location

    location = parse_location(pointer)
    if not location.key.endswith(SUFFIX):
        raise UsageError(f"{pointer} does not end in {SUFFIX}; name the file so, to tell it apart")
    known = read_pointer(location)
    if back:
        if bundle is not None or dest is not None:
            raise UsageError("--back puts the model before into use; leave BUNDLE and --on out")
        if known is None:
            raise UsageError(f"there is no {pointer}; nothing was in use")
        write_pointer(known.back(), location)
        return _print(known.back().current.model, {}, as_json=as_json, is_promoted=True)
    if bundle is None:
        raise UsageError("name the BUNDLE to put into use, or --back")
    where = parse_location(bundle)
    path = model_path(bundle)
    model = str(path.absolute()) if where.is_local else where.uri
    new = InUse(model, load_bundle(path).digest, format_utc(utc_now()))
    if known is None:
        write_pointer(Pointer(new), location)
        return _print(model, {}, as_json=as_json, is_promoted=True)
    if new.digest == known.current.digest:
        raise UsageError(f"{bundle} is in use already")
    if dest is None:
        raise UsageError("give --on DEST: results of both models with an audit decide")
    found = compare_pairs(audited_pairs(parse_location(dest), known.current.digest, new.digest))
    evidence = {**found.as_json(), "margin": margin, "on": dest}
    is_better = found.is_better(margin)
    if is_better:
        promoted = InUse(new.model, new.digest, new.since, evidence)
        write_pointer(known.replaced(promoted), location)
    return _print(model, evidence, as_json=as_json, is_promoted=is_better)


def _print(model: str, evidence: "dict[str, object]", *, as_json: bool, is_promoted: bool) -> int:
    if as_json:
        click.echo(json.dumps({"model": model, "promoted": is_promoted, "evidence": evidence}))
    elif evidence:
        click.echo(
            f"{evidence['answers']} answers: {evidence['only_candidate']} only for the candidate, "
            f"{evidence['only_current']} only for the model in use; it is right more often by "
            f"{evidence['difference']:+.1%}, at least {evidence['low']:+.1%} (95 %)"
        )
    if is_promoted:
        click.echo(f"seefood: {model} is in use", err=True)
        return 0
    click.echo(f"seefood: {model} is not shown to be better and is not in use", err=True)
    return 1
