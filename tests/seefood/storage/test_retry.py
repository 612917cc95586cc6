"""What a store refuses or garbles for a moment is asked for again; what lasts is told."""

import random
import time
from collections.abc import Callable, Iterator

import pytest
from obstore.store import S3Store

from seefood.errors import JobError, UsageError
from seefood.results.files import encode_rows, list_parts
from seefood.results.ledger import read_ledger
from seefood.runs.lease import Claim, hold_lease
from seefood.storage import Store, open_store
from seefood.storage.object_store import RETRY, RemoteStore
from seefood.storage.retry import NOT_A_STORE, THROTTLED, Backoff, Failure, RetryPolicy
from seefood.storage.uris import parse_location
from tests.conftest import Bucket
from tests.fakes import DIGEST, make_row
from tests.fault_front import Fault, FaultFront, Kind

_ALWAYS = 1_000_000
_PASSING: tuple[Kind, ...] = (
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
        return Fault(drawn.choice(_PASSING)) if drawn.random() < 0.1 else None

    return choose


def _write_parts(s3: Bucket) -> list[str]:
    names = [f"out/results/digest={DIGEST[:12]}/part-{n:032x}.jsonl" for n in range(_PARTS)]
    for number, name in enumerate(names):
        s3.put(name, encode_rows([make_row(f"s3://b/{number}")], "jsonl"))
    return [f"{s3.uri}/{name}" for name in names]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_tenth_answer_may_be_a_fault(seed: int, front: FaultFront, s3: Bucket) -> None:
    """A listing loses no key, a ledger no row, and what is written is there."""
    parts = _write_parts(s3)
    output = parse_location(f"{s3.uri}/out")
    store = open_store(s3.uri)
    assert parts == [part.uri for part in list_parts(output, DIGEST)]  # and so reading is granted
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


def test_a_page_further_on_is_asked_for_again(front: FaultFront, s3: Bucket) -> None:
    """By our own client and by obstore's, each from where it was."""
    for number in range(_KEYS):
        s3.put(f"in/{number:05d}", b"")
    plain = RemoteStore(
        s3.uri,
        S3Store(
            s3.name,
            endpoint=front.endpoint,
            client_options={"allow_http": True},
            retry_config=RETRY,
        ),
    )
    stores: tuple[tuple[Store, str], ...] = (
        (open_store(s3.uri), "start-after"),
        (plain, "continuation-token"),
    )
    for kind in _PASSING:
        for store, second in stores:
            if kind == "garbage" and store is plain:
                continue  # obstore takes a web page for an empty listing
            front.faults[:] = [Fault(kind, second)]
            keys = [ref.uri.rpartition("/")[2] for ref in store.list("in/")]
            assert [f"{number:05d}" for number in range(_KEYS)] == keys
            assert 1 == front.faults[0].met


def test_refused_at_first_is_refused_at_once(front: FaultFront, s3: Bucket) -> None:
    """Nothing says that these credentials were ever good for it."""
    s3.put("a", b"a")
    store = open_store(s3.uri)
    front.faults += [Fault("forbidden", "", method, times=_ALWAYS) for method in ("GET", "PUT")]
    began = time.monotonic()
    with pytest.raises(UsageError, match="the credentials may not list it"):
        list(store.list(""))
    with pytest.raises(JobError, match="the credentials may not read it"):
        store.read("a")
    with pytest.raises(JobError, match="the credentials may not write it"):
        store.write("a", b"")
    assert time.monotonic() - began < 2.0
    assert 3 == sum(fault.met for fault in front.faults)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("forbidden", "the credentials may not"),
        ("garbage", "is no listing|something else than|ETag"),
    ],
)
def test_what_does_not_pass_is_told_in_bounded_time(
    kind: Kind, said: str, front: FaultFront, s3: Bucket
) -> None:
    """Five tries over some seconds, then the sentence that one try would have given."""
    s3.put("a", b"a")
    store = open_store(s3.uri)
    asks: tuple[Callable[[], object], ...] = (
        lambda: list(store.list("")),
        lambda: store.read("a"),
        lambda: store.write("a", b""),
        lambda: store.create(f"b{time.monotonic_ns()}", b""),
    )
    for ask in asks:
        ask()
    front.faults += [Fault(kind, "", method, times=_ALWAYS) for method in ("GET", "PUT")]
    for ask in asks:
        before, began = len(front.requests), time.monotonic()
        with pytest.raises((UsageError, JobError), match=said):
            ask()
        assert time.monotonic() - began < 6.0
        assert NOT_A_STORE.tries == len(front.requests) - before


def test_what_is_gone_is_asked_for_once(front: FaultFront, s3: Bucket) -> None:
    """Absent, and there already, are answers."""
    store = open_store(s3.uri)
    with pytest.raises(FileNotFoundError):
        store.read("gone")
    assert store.create("new", b"1")
    assert not store.create("new", b"2")
    assert 3 == len(front.requests)


@pytest.mark.parametrize("kind", _PASSING)
def test_a_lease_is_taken_and_left_whatever_happens_once(
    kind: Kind, front: FaultFront, s3: Bucket
) -> None:
    """An answer that was lost, or garbled on its way, makes no run refuse itself."""
    store = open_store(s3.uri)
    store.write("granted", b"")
    store.delete("granted")
    list(store.list("out/"))
    front.faults += [Fault(kind, "", method) for method in ("GET", "PUT", "POST")]
    with hold_lease(Claim(parse_location(f"{s3.uri}/out"), DIGEST, "r1")):
        assert 1 == len(s3.keys("out/runs/leases/"))
    assert [] == s3.keys("out/runs/leases/")


def test_waits_grow_and_end() -> None:
    """Each about twice the one before, never more than the longest, and all of them bounded."""
    for patience in (THROTTLED, NOT_A_STORE):
        waits = [patience.wait_seconds(tried, 0.0) for tried in range(1, patience.tries)]
        for number, wait in enumerate(waits):
            longest = min(patience.longest_wait_seconds, patience.first_wait_seconds * 2**number)
            assert wait is not None
            assert longest / 2 <= wait <= longest
        assert patience.wait_seconds(patience.tries, 0.0) is None
        assert patience.wait_seconds(1, patience.most_seconds) is None


def test_only_what_passes_is_sent_again() -> None:
    """Failures that last are raised at once, refusals too unless the right was there before."""
    meanings = {
        ValueError: Failure.PERMANENT,
        OSError: Failure.NOT_A_STORE,
        PermissionError: Failure.DENIED,
    }
    again = RetryPolicy(lambda error: meanings[type(error)])
    sent: list[type[Exception]] = []

    def fail_once(kind: type[Exception]) -> Callable[[], str]:
        def request() -> str:
            if kind in sent:
                return "answer"
            sent.append(kind)
            raise kind

        return request

    with pytest.raises(ValueError):  # noqa: PT011 (no text to match)
        again.send(fail_once(ValueError))
    with pytest.raises(PermissionError):
        again.send(fail_once(PermissionError), "read")
    assert "answer" == again.send(fail_once(OSError), "read")
    sent.clear()
    assert "answer" == again.send(fail_once(PermissionError), "read")
    sent.clear()
    with pytest.raises(PermissionError):
        again.send(fail_once(PermissionError), "write")
    assert Backoff(1, 0.1, 0.1, 1.0).wait_seconds(1, 0.0) is None
