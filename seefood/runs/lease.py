"""One run at a time writes the rows of a model to an output: a lease says who.

    DEST/runs/leases/<digest>.<scope>.<number>.json

A run takes the next number with a conditional write, so of two that start at once one gets it. It
renews the lease while it lives. A lease whose process is known to be dead (same machine) is taken
over at once; any other one when it has not been renewed for a minute and a half. Who loses a lease,
because it slept for longer than that, notices and stops.
"""

import json
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from seefood.errors import JobError, UsageError
from seefood.records import DIGEST_SHOWN, format_utc, utc_now
from seefood.results.files import RUNS
from seefood.runs.run_files import clean_up_dead_runs
from seefood.runs.sharding import Shard
from seefood.sanitize import printable
from seefood.storage import open_store
from seefood.storage.uris import Location, parse_location

_log = logging.getLogger(__name__)

_RUN_ID: Final = re.compile(r"[0-9A-Za-z-]{1,80}")
"""Part of the names of what a dead run left behind."""
_NAME: Final = re.compile(r"(all|\d+-of-\d+)\.(\d{1,9})\.json")
"""What follows the digest in a lease's name: scope and number."""
_LIFE_SECONDS: Final = 90.0
_RENEW_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run wants to write: one model's rows, all or those of a shard."""

    output: Location
    digest: str
    run_id: str
    shard: Shard | None = None

    @property
    def scope(self) -> str:
        """The shard as part of a name."""
        return "all" if self.shard is None else f"{self.shard.index}-of-{self.shard.count}"


@dataclass(frozen=True, slots=True)
class _Lease:
    """A lease as it was found."""

    location: Location
    scope: str
    number: int
    content: dict[str, Any] = field(default_factory=dict)

    def conflicts(self, scope: str) -> bool:
        """Whether both scopes may mean the same picture."""
        if self.scope == scope or "all" in (self.scope, scope):
            return True
        return self.scope.partition("-of-")[2] != scope.partition("-of-")[2]

    @property
    def is_dead(self) -> bool:
        """Whether its run is known to be over, or was not heard of for too long."""
        here = _machine()
        if self.content and here is not None and self.content["machine"] == here:
            return not _lives(self.content)  # whatever this machine's clock did meanwhile
        return not self.content or not self.content["expires_at"] >= time.time()


@contextmanager
def hold_lease(claim: Claim, on_lost: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lease for `claim` while the block runs, and remove what dead runs left behind.

    `on_lost` is called, from another thread, if another run has taken over. Raises `UsageError` if
    another run holds a lease that conflicts, or if the output cannot be written.
    """
    mine = _take(claim)
    stop = threading.Event()
    renewer = threading.Thread(
        target=_renew, args=(claim, mine, stop, on_lost), name="lease", daemon=True
    )
    renewer.start()
    try:
        yield
    finally:
        stop.set()
        renewer.join(timeout=5.0)
        with suppress(JobError):  # it expires by itself
            open_store(mine.location.root).delete(mine.location.key)


def _take(claim: Claim) -> _Lease:
    found = _find(claim)
    _refuse(claim, [lease for lease in found if lease.conflicts(claim.scope)])
    own = [lease for lease in found if lease.scope == claim.scope]
    number = 1 + max((lease.number for lease in own), default=0)
    name = f"{claim.digest[:DIGEST_SHOWN]}.{claim.scope}.{number:06d}.json"
    mine = _Lease(claim.output.child(f"{RUNS}/leases/{name}"), claim.scope, number)
    store = open_store(mine.location.root)
    try:
        if not (store.create(mine.location.key, _content(claim)) or _is_mine(mine, claim)):
            raise UsageError(_refusal(claim, "another run has just started"))
    except JobError as error:
        raise UsageError(f"the output cannot be written: {error}") from error
    others = [
        lease
        for lease in _find(claim)
        if lease.conflicts(claim.scope) and lease.location != mine.location
    ]
    try:
        _refuse(claim, others)
    except UsageError:
        store.delete(mine.location.key)
        raise
    for lease in others:  # all of them dead
        if lease.content:
            clean_up_dead_runs(claim.output, [lease.content["run_id"]], [lease.content["pid"]])
        store.delete(lease.location.key)
    return mine


def _is_mine(mine: _Lease, claim: Claim) -> bool:
    """Whether the lease was put there by this run: its answer was lost, and it was sent again."""
    with suppress(FileNotFoundError):
        content = _parsed(open_store(mine.location.root).read(mine.location.key))
        return bool(content) and content["run_id"] == claim.run_id
    return False


def _refuse(claim: Claim, leases: list[_Lease]) -> None:
    for lease in leases:
        if not lease.is_dead:
            left = max(0.0, lease.content["expires_at"] - time.time())
            who = f"the run {lease.content['run_id']} on {lease.content['host']}"
            hint = (
                f"it is the process {lease.content['pid']} of this machine"
                if lease.content["machine"] == _machine()
                else f"if that run is dead, its claim ends in {left:.0f} s"
            )
            since = f"is writing there since {lease.content['since']}"
            raise UsageError(f"{_refusal(claim, f'{who} {since}')} ({hint})")


def _refusal(claim: Claim, why: str) -> str:
    return (
        f"{claim.output.uri} is taken: {why}; wait for it to end, then run the same command again, "
        "or choose another output"
    )


def _find(claim: Claim) -> list[_Lease]:
    """Return the leases on the model's rows, whoever holds them."""
    prefix = claim.output.child(f"{RUNS}/leases/{claim.digest[:DIGEST_SHOWN]}.")
    store = open_store(prefix.root)
    found = []
    try:
        refs = list(store.list(prefix.key))
    except UsageError:
        if not claim.output.is_local:
            raise
        return []
    for ref in refs:
        location = parse_location(ref.uri)
        name = _NAME.fullmatch(location.key.removeprefix(prefix.key))
        if name is not None:
            with suppress(FileNotFoundError):  # it ended meanwhile
                content = _parsed(store.read(location.key))
                found.append(_Lease(location, name[1], int(name[2]), content))
    return found


def _parsed(data: bytes) -> dict[str, Any]:
    """Return a lease's content; empty, which is a dead run's, for what none of ours wrote."""
    try:
        content = json.loads(data)
        return {
            **{name: content[name] for name in ("machine", "started")},
            **{name: printable(str(content[name])) for name in ("host", "since")},
            "expires_at": float(content["expires_at"]),
            "pid": int(content["pid"]),
            "run_id": content["run_id"] if _RUN_ID.fullmatch(content["run_id"]) else "unknown",
        }
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {}


def _renew(claim: Claim, mine: _Lease, stop: threading.Event, on_lost: Callable[[], None]) -> None:
    while not stop.wait(_RENEW_SECONDS):
        try:
            rivals = [
                lease
                for lease in _find(claim)
                if lease.conflicts(mine.scope)
                and lease.location != mine.location
                and not lease.is_dead
            ]
            if rivals:
                _log.error("another run has taken %s over", claim.output.uri)
                on_lost()
                return
            open_store(mine.location.root).write(mine.location.key, _content(claim))
        except (JobError, UsageError) as error:
            _log.warning("cannot renew the lease %s: %s", mine.location.uri, error)


def _content(claim: Claim) -> bytes:
    return json.dumps(
        {
            "run_id": claim.run_id,
            "host": socket.gethostname(),
            "machine": _machine(),
            "pid": os.getpid(),
            "started": _started(os.getpid()),
            "since": format_utc(utc_now()),
            "expires_at": time.time() + _LIFE_SECONDS,
        }
    ).encode()


def _machine() -> str | None:
    """Return what names this machine since it booted, and this container; None where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        processes = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return None
    return f"{boot} {processes} {socket.gethostname()}"


def _lives(content: dict[str, Any]) -> bool:
    """Whether the process that wrote a lease on this machine is still the same."""
    if content.get("machine") is None:
        return True
    return bool(_started(content["pid"]) == content["started"])


def _started(pid: int) -> str | None:
    """Return when a process started, in the kernel's ticks; None if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
