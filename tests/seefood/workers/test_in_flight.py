"""The in-flight table is readable from another process, also after its writer died."""

import threading
import time

from seefood.imaging.memory_budget import MemoryBudget, while_waiting
from seefood.workers.in_flight import InFlight, InFlightTable, in_flight_file


def _pair(slots: int) -> tuple[InFlightTable, InFlightTable]:
    with in_flight_file(slots) as file:
        return InFlightTable(file.fileno(), slots), InFlightTable(file.fileno(), slots)


def _pictures(notes: list[InFlight]) -> list[tuple[tuple[int, int], ...]]:
    return [note.pictures for note in notes]


def test_what_is_in_hand_is_seen_from_elsewhere() -> None:
    """Each thread's pictures, until it has done them; of very many the first."""
    writer, reader = _pair(2)
    assert [] == reader.in_flight()
    writer.begin(0, [(7, 3)])
    writer.begin(1, [(7, 4), (8, 0)])
    assert [((7, 3),), ((7, 4), (8, 0))] == _pictures(reader.in_flight())
    writer.end(0)
    assert [((7, 4), (8, 0))] == _pictures(reader.in_flight())
    writer.begin(1, [(9, at) for at in range(1000)])
    assert 256 == len(reader.in_flight()[0].pictures)


def test_waiting_for_memory_takes_nobody_s_time() -> None:
    """A picture that waits for its turn is in nobody's hands; its clock begins when it ends."""
    writer, reader = _pair(1)
    budget = MemoryBudget(100)
    held = budget.take(80)

    def compute() -> None:
        while_waiting.set(lambda: writer.paused(0))
        writer.begin(0, [(1, 2)])
        with budget.holding(50):
            done.wait(10)

    done = threading.Event()
    thread = threading.Thread(target=compute)
    thread.start()
    time.sleep(0.3)
    assert [] == reader.in_flight()
    budget.give(held)
    deadline = time.monotonic() + 5
    while not reader.in_flight() and time.monotonic() < deadline:
        time.sleep(0.005)
    (note,) = reader.in_flight()
    assert ((1, 2),) == note.pictures
    assert note.seconds < 0.25
    done.set()
    thread.join()
