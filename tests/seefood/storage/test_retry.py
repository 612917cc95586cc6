"""Retries: transient failures are sent again, permanent ones are reported."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from obstore.store import S3Store

from seefood.errors import JobError, UsageError
from seefood.results.files import encode_rows, list_parts
from seefood.results.ledger import read_ledger
from seefood.runs.lease import hold_lease
from seefood.runs.run_spec import RunSpec
from seefood.storage import Store, open_store
from seefood.storage.object_store import RETRY, RemoteStore
from seefood.storage.retry import (
    SHORT_BACKOFF,
    THROTTLED_BACKOFF,
    Backoff,
    Failure,
    RetryPolicy,
)
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.fakes import DIGEST, make_row
from tests.fault_front import Fault, FaultFront, Kind

_ALWAYS = 1_000_000
_TRANSIENT: tuple[Kind, ...] = (
    "slow_down", "error", "reset", "truncate", "lost", "garbage", "forbidden",
)  # fmt: skip
_PARTS = 60
_KEYS = 1100


@pytest.fixture
def front(s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultFront]:
    """Faults between seefood and an empty bucket."""
    with FaultFront(s3.endpoint).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        yield running


def _every_tenth(seed: int) -> Callable[[str, str], Fault | None]:
    drawn = random.Random(seed)

    def choose(method: str, path: str) -> Fault | None:
        del method, path
        return Fault(drawn.choice(_TRANSIENT)) if drawn.random() < 0.1 else None

    return choose


def _write_parts(s3: Bucket) -> list[str]:
    names = [f"out/results/digest={DIGEST[:12]}/part-{n:032x}.jsonl" for n in range(_PARTS)]
    for number, name in enumerate(names):
        s3.put(name, encode_rows([make_row(f"s3://b/{number}")], "jsonl"))
    return [f"{s3.uri}/{name}" for name in names]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_tenth_response_may_be_a_fault(seed: int, front: FaultFront, s3: Bucket) -> None:
    """A listing loses no key, a ledger no row, and every write succeeds."""
    parts = _write_parts(s3)
    output = parse_location(f"{s3.uri}/out")
    store = open_store(s3.uri)
    assert parts == [
        part.uri for part in list_parts(output, DIGEST)
    ]  # now reading is known to be permitted
    assert parts[0].endswith(".jsonl")
    store.read(parse_location(parts[0]).key)
    store.write("out/granted", b"")
    front.choose = _every_tenth(seed)
    for _ in range(10):
        assert parts == [part.uri for part in list_parts(output, DIGEST)]
    assert _PARTS == len(read_ledger(parts))
    for number in range(30):
        store.write(f"out/{number}", b"%d" % number)
    front.choose = lambda *_: None
    assert [b"%d" % number for number in range(30)] == [s3.get(f"out/{n}") for n in range(30)]


@pytest.fixture
def stores(front: FaultFront, s3: Bucket) -> tuple[tuple[Store, str], ...]:
    """Our own client and obstore's for two pages of keys, each with what requests the second."""
    s3.put_many({f"in/{number:05d}": b"" for number in range(_KEYS)})
    plain = RemoteStore(
        s3.uri,
        S3Store(
            s3.name,
            endpoint=front.endpoint,
            client_options={"allow_http": True},
            retry_config=RETRY,
        ),
    )
    return (open_store(s3.uri), "start-after"), (plain, "continuation-token")


def test_a_later_page_is_requested_again(
    front: FaultFront, stores: tuple[tuple[Store, str], ...]
) -> None:
    """By our own client and by obstore's, each from the last key on."""
    for kind in _TRANSIENT:
        for store, second in stores:
            if kind == "garbage" and second == "continuation-token":
                continue  # obstore takes a web page for an empty listing
            front.faults[:] = [Fault(kind, second)]
            keys = [ref.uri.rpartition("/")[2] for ref in store.list("in/")]
            assert [f"{number:05d}" for number in range(_KEYS)] == keys
            assert 1 == front.faults[0].met


def test_a_listing_that_ends_early_is_an_error_of_the_job(
    front: FaultFront, stores: tuple[tuple[Store, str], ...]
) -> None:
    """The sources were right when it began; the exit code is 1 and not that of a wrong option."""
    for store, second in stores:
        front.faults[:] = [Fault("expired", second, times=_ALWAYS)]
        with pytest.raises(JobError, match=r"cannot list .*; run it again"):
            list(store.list("in/"))


def test_a_first_denial_is_final(front: FaultFront, s3: Bucket) -> None:
    """Without an earlier success a denial is not retried."""
    s3.put("a", b"a")
    store = open_store(s3.uri)
    front.faults += [Fault("forbidden", "", method, times=_ALWAYS) for method in ("GET", "PUT")]
    with pytest.raises(UsageError, match="the credentials may not list it"):
        list(store.list(""))
    with pytest.raises(JobError, match="the credentials may not read it"):
        store.read("a")
    with pytest.raises(JobError, match="the credentials may not write it"):
        store.write("a", b"")
    assert 3 == sum(fault.met for fault in front.faults)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("forbidden", "the credentials may not"),
        ("garbage", "is not a listing|not from the store|ETag"),
    ],
)
def test_a_lasting_fault_is_reported_after_five_tries(
    kind: Kind, message: str, front: FaultFront, s3: Bucket
) -> None:
    """The message is the one that a single try would have given."""
    s3.put("a", b"a")
    store = open_store(s3.uri)
    requests: tuple[Callable[[], object], ...] = (
        lambda: list(store.list("")),
        lambda: store.read("a"),
        lambda: store.write("a", b""),
        lambda: store.create(f"b{time.monotonic_ns()}", b""),
    )
    for request in requests:
        request()
    front.faults += [Fault(kind, "", method, times=_ALWAYS) for method in ("GET", "PUT")]
    before = len(front.requests)
    with ThreadPoolExecutor(len(requests)) as pool:  # each waits seconds between its tries
        results = [pool.submit(request) for request in requests]
    for result in results:
        with pytest.raises((UsageError, JobError), match=message):
            result.result()
    assert len(requests) * SHORT_BACKOFF.max_tries == len(front.requests) - before


def test_an_absent_object_is_requested_once(front: FaultFront, s3: Bucket) -> None:
    """That an object is absent, or exists already, is a result and not a failure."""
    store = open_store(s3.uri)
    with pytest.raises(FileNotFoundError):
        store.read("gone")
    assert store.create("new", b"1")
    assert not store.create("new", b"2")
    assert 3 == len(front.requests)


@pytest.mark.parametrize("kind", _TRANSIENT)
def test_a_lease_survives_one_fault_of_any_kind(kind: Kind, front: FaultFront, s3: Bucket) -> None:
    """A lost or garbled response does not make a run refuse its own lease."""
    store = open_store(s3.uri)
    store.write("granted", b"")
    store.delete("granted")
    list(store.list("out/"))
    front.faults += [Fault(kind, "", method) for method in ("GET", "PUT", "POST")]
    with hold_lease(RunSpec(parse_location(f"{s3.uri}/out"), DIGEST, "r1")):
        assert 1 == len(s3.keys("out/runs/leases/"))
    assert [] == s3.keys("out/runs/leases/")


def test_waits_grow_and_end() -> None:
    """Each is about twice the one before, up to the maximum, and their sum is bounded."""
    for backoff in (THROTTLED_BACKOFF, SHORT_BACKOFF):
        waits = [backoff.wait_seconds(tried, 0.0) for tried in range(1, backoff.max_tries)]
        for number, wait in enumerate(waits):
            longest = min(backoff.max_wait_seconds, backoff.first_wait_seconds * 2**number)
            assert wait is not None
            assert longest / 2 <= wait <= longest
        assert backoff.wait_seconds(backoff.max_tries, 0.0) is None
        assert backoff.wait_seconds(1, backoff.max_total_seconds) is None


def test_only_transient_failures_are_sent_again() -> None:
    """Permanent failures are raised at once, and denials unless the same was permitted before."""
    failures = {
        ValueError: Failure.PERMANENT,
        OSError: Failure.NOT_A_STORE,
        PermissionError: Failure.DENIED,
    }
    policy = RetryPolicy(lambda error: failures[type(error)])
    sent: list[type[Exception]] = []

    def fail_once(kind: type[Exception]) -> Callable[[], str]:
        def request() -> str:
            if kind in sent:
                return "result"
            sent.append(kind)
            raise kind

        return request

    with pytest.raises(ValueError):  # noqa: PT011 (no text to match)
        policy.call(fail_once(ValueError))
    with pytest.raises(PermissionError):
        policy.call(fail_once(PermissionError), "read")
    assert "result" == policy.call(fail_once(OSError), "read")
    sent.clear()
    assert "result" == policy.call(fail_once(PermissionError), "read")
    sent.clear()
    with pytest.raises(PermissionError):
        policy.call(fail_once(PermissionError), "write")
    assert Backoff(1, 0.1, 0.1, 1.0).wait_seconds(1, 0.0) is None
