"""Changes inputs by bytes, and JSON by its structure; the same seed gives the same change."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any, Final

_ODD_NUMBERS: Final = (0, 1, 0x7F, 0x80, 0xFF)
_ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1e308, 2**63, 2**70, float("nan"), float("inf"), "", "\0", "\ud800", "é🌭",
    "a" * 300, "../../x", "s3://b/k", "2026-13-45", "9" * 5000, [], {}, [[]], {"": None},
)  # fmt: skip
_MAX_DEPTH: Final = 900


def mutate(data: bytes, max_bytes: int, seed: int, *, is_json: bool = False) -> bytes:
    """Return `data` changed in one to four places, at most `max_bytes` long."""
    rng = random.Random(seed)
    if is_json and rng.random() < 0.7:
        changed = _mutated_json(data, rng)
        if changed is not None and len(changed) <= max_bytes:
            return changed
    out = bytearray(data or b"0")
    for _ in range(rng.randint(1, 4)):
        rng.choice(_BYTE_CHANGES)(out, rng)
    return bytes(out[:max_bytes])


def _flip(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((*_ODD_NUMBERS, rng.randrange(256)))


def _cut(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.randint(1, 1 + len(data) // 4)]


def _truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _repeat(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = data[at : at + rng.randint(1, 64)] * rng.choice((1, 1, 2, 20))


def _number(data: bytearray, rng: random.Random) -> None:
    width = rng.choice((2, 4, 8))
    if len(data) >= width:
        at = rng.randrange(len(data) - width + 1)
        value = rng.choice((0, 1, 2 ** (8 * width - 1) - 1, 2 ** (8 * width) - 1, 65_535))
        byte_order = rng.choice(("big", "little"))
        data[at : at + width] = value.to_bytes(width, byte_order)  # type: ignore[arg-type]


_BYTE_CHANGES: Final[tuple[Callable[[bytearray, random.Random], None], ...]] = (
    _flip, _flip, _set, _set, _cut, _truncate, _repeat, _number,
)  # fmt: skip


def _mutated_json(data: bytes, rng: random.Random) -> bytes | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    places: list[tuple[Any, Any]] = []
    _collect(document, places, 0)
    if not places:
        return json.dumps(rng.choice(_ODD_VALUES)).encode()
    for _ in range(rng.randint(1, 3)):
        _change(*rng.choice(places), rng, places)
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return None


def _collect(value: Any, places: list[tuple[Any, Any]], depth: int) -> None:
    if depth > _MAX_DEPTH or not isinstance(value, dict | list):
        return
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        places.append((value, name))
        _collect(inner, places, depth + 1)


def _change(owner: Any, name: Any, rng: random.Random, places: list[tuple[Any, Any]]) -> None:
    exists = name in owner if isinstance(owner, dict) else name < len(owner)
    if not exists:  # an earlier change removed it
        return
    kind = rng.randrange(6)
    if kind == 0:
        del owner[name]
    elif kind == 1:
        other, key = rng.choice(places)
        if key in other if isinstance(other, dict) else key < len(other):
            owner[name] = copy.deepcopy(other[key])
    elif kind == 2 and isinstance(owner, list):
        owner.insert(name, copy.deepcopy(owner[name]))
    elif kind == 3 and isinstance(owner[name], str):
        text = bytearray(owner[name].encode("utf-8", "surrogatepass"))
        rng.choice(_BYTE_CHANGES)(text, rng)
        owner[name] = text.decode("utf-8", "replace")
    elif kind == 4:
        owner[name] = [owner[name]]
    else:
        owner[name] = rng.choice(_ODD_VALUES)
