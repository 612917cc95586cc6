"""`seefood diff`: compares two result sets."""

import json
from typing import TYPE_CHECKING

import click

from seefood.cli.profile_options import profile_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seefood.corrections.verdict import Verdict
    from seefood.promotion.audited import AuditAnswers
    from seefood.promotion.comparison import Pair, PairedComparison
    from seefood.records import Row
    from seefood.results.diff import Change, Diff

_MAX_LINES = 20
_KIND_TEXTS = {
    "label": "another label",
    "threshold": "across the threshold",
    "failed": "failed now",
    "recovered": "labelled now",
    "appeared": "appeared",
    "vanished": "vanished",
    "same": "the same",
}


@click.command("diff")
@click.argument("before", metavar="DEST_A")
@click.argument("after", metavar="DEST_B")
@profile_option
@click.option("--page", metavar="FILE", help="Write a page with contact sheets of the changes.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print every change as a JSON object, one a line."
)
def diff_command(*, before: str, after: str, page: str | None, as_json: bool) -> None:
    """Compare the results below DEST_A with those below DEST_B, of two models or of two runs.

    DEST is the `--output` of `seefood classify`. If several models wrote there, name the folder of
    one, DEST/results/digest=…. Pictures are matched by URI, and the latest row counts. With
    corrections or an audit below DEST_A or DEST_B, it says which is right more often on the
    pictures that people have labelled, and shows those that decide. The answers of an audit are
    weighted, so they speak for all pictures.

    \b
    Examples:
      seefood diff results/2026-11-22 results/2026-11-23
      seefood diff s3://l/results/digest=0a1b2c3d4e5f \\
        s3://l/results/digest=5f4e3d2c1b0a \\
        --page flips.html
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.corrections import CorrectionLog, Corrections
    from seefood.corrections.verdict import Verdict, judged
    from seefood.promotion.audited import newest_answers
    from seefood.promotion.comparison import compare_pairs
    from seefood.results.diff import changes, compare, latest_rows, parse_side

    places = [parse_side(text) for text in (before, after)]
    outputs = list(dict.fromkeys(output for output, _ in places))
    audit = newest_answers(outputs)
    pairs: list[Pair] = []
    corrections = Corrections()
    for output in outputs:
        log = CorrectionLog(output)
        corrections.add(output.uri, log.refresh())
    verdict = Verdict()
    pictures = judged(changes(*(latest_rows(*place) for place in places)), corrections, verdict)
    if audit is not None:
        pictures = _paired(pictures, audit, pairs)
    diff = compare(_printed(pictures) if as_json else pictures)
    weighted = compare_pairs(pairs) if pairs else None
    if as_json and verdict.known:
        click.echo(json.dumps({**verdict.as_json(), "audit": _audit_json(weighted)}))
    if not as_json:
        _print(diff)
        _print_verdict(verdict)
        if audit is not None and weighted is not None:
            _print_audit(audit.day, weighted)
    if page:
        from seefood.report.diff_page import make_diff_page
        from seefood.runs.summary import shown
        from seefood.storage import fetch, write
        from seefood.storage.uris import parse_location

        location = parse_location(page)
        html = make_diff_page(diff, before, after, fetch, verdict)
        write(location, html.encode("utf-8", "backslashreplace"))
        click.echo(f"Page: {shown(location)}", err=as_json)


def _printed(pictures: "Iterable[Change]") -> "Iterator[Change]":
    """Print each change as a JSON object, and yield all pictures."""
    from seefood.results.diff import Kind

    for change in pictures:
        if change.kind is not Kind.SAME:
            click.echo(json.dumps(change.as_json(), ensure_ascii=True))
        yield change


def _paired(
    pictures: "Iterable[Change]", audit: "AuditAnswers", pairs: "list[Pair]"
) -> "Iterator[Change]":
    """Yield all pictures, and append to `pairs` what both sides say of those of the audit."""
    from seefood.promotion.comparison import Pair

    for change in pictures:
        yield change
        before, after = change.before, change.after
        if before is None or after is None or change.is_replaced:
            continue
        if found := audit.answers.get((after.uri, after.etag)):
            pairs.append(Pair(found[0], _said(before), _said(after), found[1]))


def _said(row: "Row") -> str | None:
    from seefood.label_sets import set_text

    return None if row.label is None else set_text(row.names)


def _audit_json(weighted: "PairedComparison | None") -> "dict[str, object] | None":
    if weighted is None:
        return None
    low, high = weighted.interval
    return {
        "answers": weighted.answers,
        "difference": {"estimate": weighted.difference, "low": low, "high": high},
        "p_value": weighted.two_sided_p_value,
    }


def _print_audit(day: str, weighted: "PairedComparison") -> None:
    """Print what the answers of an audit say of all pictures."""
    estimate, low, high = (100 * each for each in (weighted.difference, *weighted.interval))
    click.echo(
        f"Of all pictures, by {weighted.answers:,} answers of the audit of {day}: B is right more "
        f"often by {estimate:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}; "
        f"sign test p = {weighted.two_sided_p_value:.3g}"
    )


def _print(diff: "Diff") -> None:
    from seefood.results.diff import Kind
    from seefood.sanitize import printable

    click.echo(f"{diff.compared:,} pictures in both, {diff.changed:,} changed")
    for kind in Kind:
        if diff.counts[kind]:
            click.echo(f"{diff.counts[kind]:>9,}  {_KIND_TEXTS[kind]}")
    if diff.replaced:
        click.echo(f"{diff.replaced:>9,}  of them replaced by another picture in the meantime")
    for (old, new), count in diff.flips.most_common(_MAX_LINES):
        click.echo(f"{count:>9,}  {printable(old)} -> {printable(new)}")
    _say_rest(len(diff.flips), "kinds of changes")
    for change in diff.shown.get(Kind.LABEL, [])[:_MAX_LINES]:
        click.echo(_line(change))
    _say_rest(diff.counts[Kind.LABEL], "pictures with another label; --json lists all")


def _say_rest(count: int, what: str) -> None:
    if count > _MAX_LINES:
        click.echo(f"and {count - _MAX_LINES:,} more {what}")


def _print_verdict(verdict: "Verdict") -> None:
    """Print which side is right more often, by what people said."""
    from seefood.sanitize import printable

    if not verdict.known:
        return
    one, other = len(verdict.only_before), len(verdict.only_after)
    click.echo(
        f"{verdict.known:,} pictures of both have a right label from a person: A has "
        f"{verdict.both + one:,} right, B {verdict.both + other:,}; "
        f"only A {one:,}, only B {other:,}"
    )
    estimate, low, high = (100 * each for each in verdict.difference)
    click.echo(
        f"B is right more often by {estimate:+.1f} points, "
        f"95 % interval {low:+.1f} to {high:+.1f}; "
        f"exact McNemar test p = {verdict.p_value:.3g}"
    )
    for name, decisive in (("A", verdict.only_before), ("B", verdict.only_after)):
        for change, label in decisive[:_MAX_LINES]:
            click.echo(f"only {name} is right ({printable(label)}): {_line(change)}")
        _say_rest(len(decisive), f"pictures that only {name} has right; --page shows them")


def _line(change: "Change") -> str:
    from seefood.sanitize import printable

    sides = [
        f"{printable(row.label or row.error_code or '')} {row.score or 0.0:.1%}"
        for row in (change.before, change.after)
        if row is not None
    ]
    return f"{printable(change.row.uri)}  {' -> '.join(sides)}"
