"""A client of a Flink session cluster's REST interface.

Beam's runner only submits a job. This client checks that the cluster is there, counts its nodes,
finds our job and its failures, and cancels it: Beam's `cancel` ends its client and not the job.
"""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Final

from seefood.errors import JobError, UsageError

POOL_ADDRESS: Final = "localhost:50000"
"""The default address of the worker pool beside each TaskManager."""
_RESPONSE_SECONDS: Final = 10.0
_CANCEL_SECONDS: Final = 60.0
_OVER: Final = frozenset({"FINISHED", "FAILED", "CANCELED"})


@dataclass(frozen=True, slots=True)
class FlinkJob:
    """A job in the cluster's list."""

    id: str
    name: str
    state: str

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in _OVER


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a part of a job ended or was restarted."""

    at: int
    """Milliseconds since 1970."""
    cause: str
    """The innermost exception, in one line."""


@dataclass(frozen=True, slots=True)
class FlinkCluster:
    """A session cluster."""

    address: str
    """Of its REST interface: `HOST:PORT`, or a URL."""

    @property
    def url(self) -> str:
        """The address as a URL without a trailing slash."""
        address = self.address.rstrip("/")
        return address if "://" in address else f"http://{address}"

    def check(self) -> int:
        """Return how many TaskManagers there are. Raises `UsageError` if there is no cluster."""
        try:
            nodes = int(self._request("overview")["taskmanagers"])
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
        """Return running and ended jobs. Raises `OSError` if the cluster does not respond."""
        return [
            FlinkJob(str(job["jid"]), str(job["name"]), str(job["state"]))
            for job in self._request("jobs/overview")["jobs"]
        ]

    def failures(self, name: str) -> list[Failure]:
        """Return the failures so far of the running jobs with this name, oldest first.

        Raises `OSError` if the cluster does not respond, `ValueError` or `KeyError` for a response
        of another form.
        """
        jobs = [job for job in self.every_job() if job.name == name and not job.is_over]
        entries = [
            entry
            for job in jobs
            for entry in self._request(f"jobs/{job.id}/exceptions")["exceptionHistory"]["entries"]
        ]
        failures = [
            Failure(int(entry["timestamp"]), _cause(entry["stacktrace"])) for entry in entries
        ]
        return sorted(failures, key=lambda failure: failure.at)

    def cancel(self, name: str) -> int:
        """Cancel every job with this name and wait until all have ended; return how many.

        Raises `JobError` if that takes longer than a minute.
        """
        deadline = time.monotonic() + _CANCEL_SECONDS
        cancelled: set[str] = set()
        cause: object = "it still runs"
        while True:
            try:
                running = [job for job in self.every_job() if job.name == name and not job.is_over]
                for job in running:
                    if job.id not in cancelled:
                        self._request(f"jobs/{job.id}?mode=cancel", "PATCH")
                        cancelled.add(job.id)
                if not running:
                    return len(cancelled)
            except (OSError, ValueError, KeyError) as error:
                cause = error
            if time.monotonic() > deadline:
                raise JobError(
                    f"the job {name!r} on {self.address} could not be cancelled ({cause}); cancel "
                    "it on the cluster's own page"
                )
            time.sleep(0.5)

    def _request(self, path: str, method: str = "GET") -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/{path}", method=method)  # noqa: S310 (http)
        with urllib.request.urlopen(request, timeout=_RESPONSE_SECONDS) as response:  # noqa: S310
            document: dict[str, Any] = json.load(response)
            return document


def _cause(trace: str) -> str:
    lines = [line for line in trace.splitlines() if line and not line[0].isspace()]
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return (causes or lines or ["unknown"])[-1].removeprefix("Caused by: ")
