"""The in-flight table is readable from another process, also after its writer died."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from seefood.imaging.memory_budget import MemoryBudget, while_waiting
from seefood.workers.in_flight import MAX_PICTURES, InFlightTable, in_flight_file


def _pair(slots: int) -> tuple[InFlightTable, InFlightTable]:
    with in_flight_file(slots) as file:
        return InFlightTable(file.fileno(), slots), InFlightTable(file.fileno(), slots)


def _pictures(table: InFlightTable) -> list[tuple[tuple[int, int], ...]]:
    return [entry.pictures for entry in table.read()]


def test_a_reader_sees_what_each_thread_works_on() -> None:
    """A slot has its thread's pictures until they are done; at most 256 of them."""
    writer, reader = _pair(2)
    assert [] == reader.read()
    writer.begin(0, [(7, 3)])
    writer.begin(1, [(7, 4), (8, 0)])
    assert [((7, 3),), ((7, 4), (8, 0))] == _pictures(reader)
    writer.end(0)
    assert [((7, 4), (8, 0))] == _pictures(reader)
    writer.begin(1, [(9, index) for index in range(1000)])
    assert MAX_PICTURES == len(reader.read()[0].pictures)


def test_waiting_for_memory_does_not_count_as_working() -> None:
    """While a thread waits for memory its slot is empty; afterwards its time starts again."""
    writer, reader = _pair(1)
    budget = MemoryBudget(100)
    reserved = budget.acquire(80)
    waiting, computing, done = threading.Event(), threading.Event(), threading.Event()

    @contextmanager
    def paused() -> Iterator[None]:
        with writer.paused(0):
            waiting.set()
            yield

    def compute() -> None:
        while_waiting.set(paused)
        writer.begin(0, [(1, 2)])
        with budget.reserve(50):
            computing.set()
            done.wait(10)

    thread = threading.Thread(target=compute)
    thread.start()
    assert waiting.wait(10)
    assert [] == reader.read()
    budget.release(reserved)
    assert computing.wait(10)
    assert [((1, 2),)] == _pictures(reader)
    done.set()
    thread.join()


def test_the_time_restarts_after_a_wait() -> None:
    """The seconds of an entry are those since the last wait."""
    writer, reader = _pair(1)
    writer.begin(0, [(1, 2)])
    (before,) = reader.read()
    with writer.paused(0):
        pass
    (first,), (second,) = reader.read(), reader.read()
    assert before.pictures == first.pictures
    assert 0 <= first.seconds <= second.seconds
