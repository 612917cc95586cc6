"""A lease lets one run at a time write a model's rows below an output.

    DEST/runs/leases/<digest>.<scope>.<number>.json

A run creates the lease of the next number with a conditional write, so of two runs that start at
the same time one gets it. It renews the lease every 20 seconds. Another run may replace a lease
that was not renewed for 90 seconds, or whose process ran on this machine and has ended: a run that
was killed can be started again without a wait. A run whose lease was replaced, for example because
its machine was suspended, stops when it next renews.
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
from seefood.runs.run_spec import RunSpec
from seefood.sanitize import printable
from seefood.storage import list_existing, open_store
from seefood.storage.uris import Location, parse_location

_log = logging.getLogger(__name__)

# A run's id is part of the paths that are deleted after it was killed.
_RUN_ID: Final = re.compile(r"[0-9A-Za-z-]{1,80}")
# The end of a lease's name, after the digest: scope and number.
_NAME: Final = re.compile(r"(all|\d+-of-\d+)\.(\d{1,9})\.json")
_LIFE_SECONDS: Final = 90.0
_RENEW_SECONDS: Final = 20.0
_JOIN_SECONDS: Final = 5.0
_WRITE_SECONDS: Final = 1.0
_WRITE_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class _Lease:
    """A lease as it was read from the store."""

    location: Location
    scope: str
    number: int
    content: dict[str, Any] = field(default_factory=dict)
    """Empty if no run of ours wrote it."""

    def conflicts(self, scope: str) -> bool:
        """Whether a picture may be in both scopes."""
        if self.scope == scope or "all" in (self.scope, scope):
            return True
        return self.scope.partition("-of-")[2] != scope.partition("-of-")[2]

    @property
    def is_dead(self) -> bool:
        """Whether its run has ended, as far as this machine can tell."""
        if not self.content:
            return True
        machine = _machine()
        if machine is not None and self.content["machine"] == machine:
            return bool(_start_ticks(self.content["pid"]) != self.content["started"])
        return not self.content["expires_at"] >= time.time()


@contextmanager
def hold_lease(run: RunSpec, on_lost: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lease of `run` while the block runs; delete what killed runs left behind.

    Calls `on_lost`, from another thread, if another run replaces the lease. Raises `UsageError` if
    another run holds a lease that conflicts, or if the output cannot be written.
    """
    lease = _acquire(run)
    stop = threading.Event()
    renewer = threading.Thread(
        target=_renew, args=(run, lease, stop, on_lost), name="lease", daemon=True
    )
    renewer.start()
    try:
        yield
    finally:
        stop.set()
        renewer.join(_JOIN_SECONDS)
        with suppress(JobError):  # a lease that stays expires
            open_store(lease.location.root).delete(lease.location.key)


def _acquire(run: RunSpec) -> _Lease:
    leases = _list_leases(run)
    _refuse_live(run, [lease for lease in leases if lease.conflicts(run.scope)])
    numbers = [lease.number for lease in leases if lease.scope == run.scope]
    number = 1 + max(numbers, default=0)
    name = f"{run.digest[:DIGEST_SHOWN]}.{run.scope}.{number:06d}.json"
    acquired = _Lease(run.output.child(f"{RUNS}/leases/{name}"), run.scope, number)
    store = open_store(acquired.location.root)
    try:
        if not (store.create(acquired.location.key, _content(run)) or _is_ours(acquired, run)):
            raise UsageError(_refusal(run, "another run has just started"))
    except JobError as error:
        raise UsageError(f"the output cannot be written: {error}") from error
    # A shard and the whole, which have different names, may have been created at the same time.
    others = [
        lease
        for lease in _list_leases(run)
        if lease.conflicts(run.scope) and lease.location != acquired.location
    ]
    try:
        _refuse_live(run, others)
    except UsageError:
        store.delete(acquired.location.key)
        raise
    for lease in others:
        if lease.content:
            clean_up_dead_runs(run.output, [lease.content["run_id"]], [lease.content["pid"]])
        store.delete(lease.location.key)
    return acquired


def _is_ours(lease: _Lease, run: RunSpec) -> bool:
    """Whether this run wrote the lease: its response was lost and the client sent it again."""
    with suppress(FileNotFoundError):
        content = _parse(open_store(lease.location.root).read(lease.location.key))
        return bool(content) and content["run_id"] == run.run_id
    return False


def _refuse_live(run: RunSpec, leases: list[_Lease]) -> None:
    for lease in leases:
        if not lease.is_dead:
            seconds = max(0.0, lease.content["expires_at"] - time.time())
            hint = (
                f"it is process {lease.content['pid']} on this machine"
                if lease.content["machine"] == _machine()
                else f"if that run is dead, its lease expires in {seconds:.0f} s"
            )
            holder = f"the run {lease.content['run_id']} on {lease.content['host']}"
            reason = f"{holder} has been writing there since {lease.content['since']}"
            raise UsageError(f"{_refusal(run, reason)} ({hint})")


def _refusal(run: RunSpec, reason: str) -> str:
    return (
        f"{run.output.uri} is taken: {reason}; wait until it ends, then run the same command "
        "again, or choose another output"
    )


def _list_leases(run: RunSpec) -> list[_Lease]:
    """Return every lease on the model's rows."""
    prefix = run.output.child(f"{RUNS}/leases/{run.digest[:DIGEST_SHOWN]}.")
    leases = []
    for ref in list_existing(prefix):
        location = parse_location(ref.uri)
        name = _NAME.fullmatch(location.key.removeprefix(prefix.key))
        if name is not None:
            with suppress(FileNotFoundError):  # its run has just ended
                content = _parse(_read(location))
                leases.append(_Lease(location, name[1], int(name[2]), content))
    return leases


def _read(location: Location) -> bytes:
    """Return a lease's bytes; waits for those of one that is just being written.

    Without hard links a local lease is created first and written then. One that stays empty is of
    a run that died in between. Raises `FileNotFoundError` or `JobError`.
    """
    store = open_store(location.root)
    data = store.read(location.key)
    give_up = time.monotonic() + _WRITE_SECONDS
    while not data and location.is_local and time.monotonic() < give_up:
        time.sleep(_WRITE_POLL_SECONDS)
        data = store.read(location.key)
    return data


def _parse(data: bytes) -> dict[str, Any]:
    """Return a lease's content; an empty one if the data has not the form of a lease."""
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


def _renew(run: RunSpec, own: _Lease, stop: threading.Event, on_lost: Callable[[], None]) -> None:
    while not stop.wait(_RENEW_SECONDS):
        try:
            if any(
                lease.conflicts(own.scope) and lease.location != own.location and not lease.is_dead
                for lease in _list_leases(run)
            ):
                _log.error("another run has replaced the lease on %s", run.output.uri)
                on_lost()
                return
            open_store(own.location.root).write(own.location.key, _content(run))
        except (JobError, UsageError) as error:
            _log.warning("cannot renew the lease %s: %s", own.location.uri, error)


def _content(run: RunSpec) -> bytes:
    return json.dumps(
        {
            "run_id": run.run_id,
            "host": socket.gethostname(),
            "machine": _machine(),
            "pid": os.getpid(),
            "started": _start_ticks(os.getpid()),
            "since": format_utc(utc_now()),
            "expires_at": time.time() + _LIFE_SECONDS,
        }
    ).encode()


def _machine() -> str | None:
    """Return an id of this machine's boot and this container's processes; None if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return None
    return f"{boot} {namespace} {socket.gethostname()}"


def _start_ticks(pid: int) -> str | None:
    """Return when a process started, in the kernel's ticks; None if it does not run.

    It distinguishes a process from a later one that has got the same number.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
