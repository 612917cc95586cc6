import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from seefood.errors import UsageError
from seefood.runs.lease import hold_lease
from seefood.runs.run_spec import RunSpec
from seefood.runs.sharding import Shard
from seefood.storage import open_store
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.fakes import DIGEST


def _run(root: str, run_id: str = "r1", shard: Shard | None = None) -> RunSpec:
    return RunSpec(parse_location(root), DIGEST, run_id, shard)


def _leases(root: str) -> list[str]:
    location = parse_location(root)
    return [ref.uri for ref in open_store(location.root).list(location.child("runs/leases/").key)]


def test_a_second_run_is_refused(memory: str) -> None:
    """The message names the run that writes there, and that run keeps its lease."""
    with hold_lease(_run(memory)):
        with pytest.raises(UsageError, match=r"is taken: the run r1 on .* writing there since"):
            hold_lease(_run(memory, "r2")).__enter__()
        assert 1 == len(_leases(memory))
    assert [] == _leases(memory)


def test_runs_follow_one_another(memory: str) -> None:
    """A lease ends with its run, also if the run fails."""
    with pytest.raises(ZeroDivisionError), hold_lease(_run(memory)):
        raise ZeroDivisionError
    with hold_lease(_run(memory, "r2")):
        pass


@pytest.mark.parametrize("root", ["local", "s3"])
def test_real_stores_hold_leases(root: str, s3: Bucket, tmp_path: Path) -> None:
    """A second run is refused on files and on S3."""
    output = str(tmp_path) if root == "local" else f"{s3.uri}/out"
    with hold_lease(_run(output)), pytest.raises(UsageError, match="is taken"):
        hold_lease(_run(output, "r2")).__enter__()
    with hold_lease(_run(output)):
        pass


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (Shard(0, 4), Shard(1, 4), True),
        (Shard(0, 4), Shard(0, 4), False),
        (Shard(0, 4), Shard(1, 5), False),
        (Shard(0, 4), None, False),
        (None, Shard(0, 4), False),
    ],
    ids=str,
)
def test_shards_of_one_job_run_side_by_side(
    first: Shard | None, second: Shard | None, memory: str, *, together: bool
) -> None:
    """Two runs may hold leases at the same time only if no picture is in both scopes."""
    with hold_lease(_run(memory, shard=first)):
        lease = hold_lease(_run(memory, "r2", second))
        if together:
            with lease:
                assert 2 == len(_leases(memory))
        else:
            with pytest.raises(UsageError, match="is taken"):
                lease.__enter__()


def test_the_lease_of_a_killed_run_on_this_machine_is_replaced_at_once(tmp_path: Path) -> None:
    """The next run does not wait until the lease expires."""
    code = (
        "import os, sys; from tests.fakes import DIGEST; from seefood.runs.lease import *;"
        "from seefood.storage.uris import parse_location;"
        "run = RunSpec(parse_location(sys.argv[1]), DIGEST, 'dead');"
        "lease = hold_lease(run); lease.__enter__();"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert 1 == len(_leases(str(tmp_path)))
    with hold_lease(_run(str(tmp_path), "next")):
        (lease,) = _leases(str(tmp_path))
        assert "next" == json.loads(Path(parse_location(lease).key).read_bytes())["run_id"]
    assert [] == _leases(str(tmp_path))


def _foreign(root: str, **changes: Any) -> None:
    """Write the lease of a run on another machine."""
    content = {"run_id": "far", "host": "h", "machine": "other", "pid": 1, "started": "1"}
    content |= {"since": "2026-11-23T16:00:00.000Z", "expires_at": time.time() + 60, **changes}
    location = parse_location(f"{root}/runs/leases/{DIGEST[:12]}.all.000007.json")
    open_store(location.root).write(location.key, json.dumps(content).encode())


def test_a_lease_of_another_machine_is_valid_until_it_expires(memory: str) -> None:
    """Whether that process runs is unknown here, so only the time counts."""
    _foreign(memory)
    with pytest.raises(UsageError, match=r"the run far on h .* its lease expires in \d+ s"):
        hold_lease(_run(memory)).__enter__()
    _foreign(memory, expires_at=time.time() - 1)
    with hold_lease(_run(memory)):
        assert [f"{memory}/runs/leases/{DIGEST[:12]}.all.000008.json"] == _leases(memory)


def test_a_reused_process_number_does_not_keep_a_lease(memory: str) -> None:
    """A process that started at another time is not the one that wrote the lease."""
    with hold_lease(_run(memory)):
        (lease,) = _leases(memory)
        content = json.loads(open_store(memory).read(parse_location(lease).key))
    _foreign(memory, machine=content["machine"], pid=os.getpid(), started="1")
    with hold_lease(_run(memory)):
        pass
