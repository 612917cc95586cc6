"""What a Flink session cluster is asked, through its REST interface.

Beam's own runner only submits. Whether a cluster is there, how many nodes it has, and which job is
ours, is asked here, and a job is cancelled here: Beam's cancel ends the client, not the job.
"""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from seefood.errors import JobError, UsageError

POOL_ADDRESS: Final = "localhost:50000"
"""Where each TaskManager finds the pool of Python workers beside it, unless the user says more."""
_ANSWER_SECONDS: Final = 10.0
_CANCEL_SECONDS: Final = 60.0
_OVER: Final = frozenset({"FINISHED", "FAILED", "CANCELED"})


@dataclass(frozen=True, slots=True)
class FlinkJob:
    """A job as the cluster lists it."""

    id: str
    name: str
    state: str

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state in _OVER


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a part of a job ended, or was started again."""

    at: int
    """Milliseconds since 1970."""
    cause: str
    """The innermost exception, in one line."""


@dataclass(frozen=True, slots=True)
class FlinkCluster:
    """A session cluster, by the address of its REST interface."""

    address: str
    """`HOST:PORT`, or a URL."""

    @property
    def url(self) -> str:
        """The address as a URL without a slash at its end."""
        address = self.address.rstrip("/")
        return address if "://" in address else f"http://{address}"

    def check(self) -> int:
        """Return how many TaskManagers there are. Raises `UsageError` if there is no cluster."""
        try:
            nodes = int(self._ask("overview")["taskmanagers"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            cause = getattr(error, "reason", error)
            raise UsageError(
                f"no Flink cluster answers at {self.address} ({cause}); start one (here: `make "
                "flink-up`), or give the address of its REST interface as --flink_master=HOST:PORT"
            ) from error
        if nodes == 0:
            raise UsageError(
                f"the Flink cluster at {self.address} has no TaskManager; start one and run the "
                "same command again"
            )
        return nodes

    def every_job(self) -> list[FlinkJob]:
        """Return what ran and runs there. Raises `OSError` if the cluster does not answer."""
        return [
            FlinkJob(str(job["jid"]), str(job["name"]), str(job["state"]))
            for job in self._ask("jobs/overview")["jobs"]
        ]

    def failures(self, name: str) -> list[Failure]:
        """Return what went wrong so far in the running jobs with this name, oldest first.

        Raises `OSError` if the cluster does not answer, `ValueError` or `KeyError` if oddly.
        """
        jobs = [job for job in self.every_job() if job.name == name and not job.is_over]
        entries = [
            entry
            for job in jobs
            for entry in self._ask(f"jobs/{job.id}/exceptions")["exceptionHistory"]["entries"]
        ]
        found = [Failure(int(entry["timestamp"]), _cause(entry["stacktrace"])) for entry in entries]
        return sorted(found, key=lambda failure: failure.at)

    def cancel(self, name: str) -> int:
        """Cancel every job with this name, wait until it is over; return how many there were.

        Raises `JobError` if that does not happen within a minute.
        """
        deadline = time.monotonic() + _CANCEL_SECONDS
        asked: set[str] = set()
        cause: object = "it goes on"
        while True:
            try:
                running = [job for job in self.every_job() if job.name == name and not job.is_over]
                for job in running:
                    if job.id not in asked:
                        self._ask(f"jobs/{job.id}?mode=cancel", "PATCH")
                        asked.add(job.id)
                if not running:
                    return len(asked)
            except (OSError, ValueError, KeyError) as error:
                cause = error
            if time.monotonic() > deadline:
                raise JobError(
                    f"the job {name!r} on {self.address} could not be cancelled ({cause}); cancel "
                    "it on the cluster's own page"
                )
            time.sleep(0.5)

    def _ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/{path}", method=method)  # noqa: S310 (http)
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)
            return document


def _cause(trace: str) -> str:
    lines = [line for line in trace.splitlines() if line and not line[0].isspace()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return (causes or lines or ["unknown"])[-1].removeprefix("Caused by: ")
