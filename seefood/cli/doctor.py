"""`seefood doctor`: what is installed, and whether a location can be listed, read and written."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from seefood.cli.profile_options import profile_option

if TYPE_CHECKING:
    from seefood.records import ImageRef


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    """What is there. Never a secret."""
    cure: str | None = None
    """What to do; None if nothing has to be done."""


@click.command("doctor")
@click.argument("uri", required=False)
@profile_option
@click.option("--read-only", is_flag=True, help="Do not try to write; for a source.")
@click.option("--no-engines", is_flag=True, help="Do not load the engines, which takes seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor_command(*, uri: str | None, read_only: bool, no_engines: bool, as_json: bool) -> int:
    """Show what is installed and, for URI, whether a run would work there.

    Shows where credentials come from (never their values), region, endpoint, proxy and certificate
    authority, and tries to list, to read the first object, and to write and delete one of its own.
    Exit code 0 only if all that works.

    \b
    Examples:
      seefood doctor
      seefood doctor s3://photos/2026/ --read-only
      seefood doctor s3://labels/2026 --profile production --json
    """  # noqa: D301 (click's mark against re-wrapping)
    from seefood.sanitize import printable, redacted

    checks = []
    for check in _checks(uri, can_write=not read_only, engines=not no_engines):
        checks.append(check)
        if not as_json:  # at once: an engine takes seconds
            mark = "FAIL" if not check.ok else "-   " if check.cure else "ok  "
            cure = f"; {check.cure}" if check.cure else ""
            click.echo(printable(redacted(f"{mark} {check.name:<21} {check.found}{cure}")))
    ok = all(check.ok for check in checks)
    if as_json:
        document = {"ok": ok, "checks": [asdict(check) for check in checks]}
        click.echo(redacted(json.dumps(document, indent=2, ensure_ascii=False)))
    return 0 if ok else 1


def _checks(uri: str | None, *, can_write: bool, engines: bool) -> Iterator[Check]:
    yield from _installed()
    if uri is not None:
        yield from _location(uri, can_write=can_write)
    if engines:
        yield from _engines()


def _installed() -> Iterator[Check]:
    """Yield the version of seefood and what each extra lacks, which is no failure."""
    import platform
    from importlib.metadata import version

    from seefood.cli.requirements import EXTRAS

    yield Check(
        "seefood", ok=True, found=f"{version('seefood')}, Python {platform.python_version()}"
    )
    for extra in EXTRAS:
        missing = ", ".join(extra.missing)
        found = f"lacks {missing}, for {extra.purpose}" if missing else "installed"
        cure = extra.cure if missing else None
        yield Check(f"extra {extra.name}", ok=True, found=found, cure=cure)


def _engines() -> Iterator[Check]:
    """Yield each engine that is installed: whether it reproduces the built-in model's answers."""
    from importlib.util import find_spec

    from seefood.bundle import default_bundle_path, load_bundle
    from seefood.engines.loading import load_engine
    from seefood.engines.registry import engine_names

    try:
        bundle = load_bundle(default_bundle_path())
    except Exception as error:  # noqa: BLE001 (whatever is wrong is what this command shows)
        yield Check("model", ok=False, found=_words(error), cure="install seefood again")
        return
    yield Check("model", ok=True, found=f"{bundle.name}, {bundle.digest[:12]}")
    for name in engine_names():
        library = name.partition("-")[0]
        if name in ("auto", "fake") or (library != "litert" and find_spec(library) is None):
            continue
        try:
            load_engine(bundle, name)
        except Exception as error:  # noqa: BLE001 (as above)
            needed = name == "litert"
            found = _words(error)
            cure = None if "; " in found else "use another engine"  # most errors name one
            yield Check(f"engine {name}", ok=not needed, found=found, cure=cure)
        else:
            yield Check(f"engine {name}", ok=True, found="reproduces the model's answers")


def _location(uri: str, *, can_write: bool) -> Iterator[Check]:
    """Yield where `uri` is, who asks there, and whether it can be listed, read and written."""
    from secrets import token_hex

    from seefood.storage import open_store
    from seefood.storage.settings import describe
    from seefood.storage.uris import parse_location

    try:
        location = parse_location(uri)
        yield from (Check(name, ok=True, found=found) for name, found in describe(location.root))
        store = open_store(location.root)
    except Exception as error:  # noqa: BLE001 (as above)
        yield Check("settings", ok=False, found=_words(error), cure="mend the setting, try again")
        return
    first: list[ImageRef] = []

    def list_one() -> str:
        first.extend(ref for ref, _ in zip(store.list(location.key), range(1), strict=False))
        return f"found {first[0].uri}" if first else "works; there is no object"

    def read_one() -> str:
        return f"{len(store.fetch(first[0], first_bytes=64))} bytes of it" if first else "no object"

    def write_one() -> str:
        key = location.child(f"seefood-doctor-{token_hex(6)}").key
        created = store.create(key, b"seefood doctor")
        same = store.read(key) == b"seefood doctor"
        store.delete(key)
        return "created, read and deleted an object" if created and same else "lost what it wrote"

    yield _tried("list", list_one)
    yield _tried("read", read_one)
    if can_write:
        yield _tried("write", write_one)


def _tried(name: str, attempt: Callable[[], str]) -> Check:
    try:
        found = attempt()
    except Exception as error:  # noqa: BLE001 (as above)
        return Check(name, ok=False, found=_words(error), cure=f"allow it, or do not {name} here")
    return Check(name, ok=not found.startswith("lost"), found=found)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
