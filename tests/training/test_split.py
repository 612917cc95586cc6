"""The split: copies stay together, classes keep their shares, order does not matter."""

import hashlib
from io import BytesIO
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from seefood.errors import UsageError
from seefood.imaging.decode import Pixels
from seefood_training.fingerprints import fingerprint
from seefood_training.split import difference_hashes, find_groups, group_copies, hold_out

RNG = np.random.default_rng(7)


def _picture(seed: int) -> Pixels:
    """Return coarse noise of 64 x 64 pixels, different for each seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8)).astype(np.uint8)


def _digests(count: int) -> list[str]:
    return [hashlib.sha256(str(index).encode()).hexdigest() for index in range(count)]


def _groups(pictures: list[Pixels], digests: list[str] | None = None) -> list[int]:
    hashes = np.stack([difference_hashes(picture) for picture in pictures])
    return [int(group) for group in find_groups(digests or _digests(len(pictures)), hashes)]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotated_copies(*, turns: int, mirrored: bool) -> None:
    """A rotated, mirrored and slightly noisy copy is in the group of its original."""
    picture = _picture(1)
    copy = np.rot90(picture[:, ::-1] if mirrored else picture, turns)
    noisy = np.clip(copy.astype(int) + RNG.integers(-2, 3, copy.shape), 0, 255).astype(np.uint8)

    assert [0, 1, 0] == _groups([picture, _picture(2), noisy])


def test_same_bytes() -> None:
    """Files with the same bytes are in one group."""
    assert [0, 1, 0] == _groups([_picture(1), _picture(2), _picture(3)], ["a", "b", "a"])


def test_other_pictures() -> None:
    """Different pictures are in different groups."""
    assert list(range(40)) == _groups([_picture(seed) for seed in range(40)])


def _validation(labels: list[int], groups: NDArray[np.int64], seed: int = 0) -> NDArray[np.bool_]:
    return hold_out(_digests(len(labels)), labels, groups, 0.2, seed)


def test_groups_stay_together() -> None:
    """No group is on both sides."""
    groups = np.arange(100) // 3 * 3
    mask = _validation([0] * 51 + [1] * 49, groups)

    for group in np.unique(groups):
        assert 1 == len(set(mask[groups == group].tolist()))


def test_each_class_keeps_its_share() -> None:
    """The same share of every class is selected, also of a rare one."""
    labels = np.asarray([0] * 100 + [1] * 10)
    mask = _validation(labels.tolist(), np.arange(110))

    assert [20, 2] == [int(mask[labels == label].sum()) for label in (0, 1)]


def test_order_does_not_matter() -> None:
    """The selection depends on the content of the photos, not on their order."""
    digests, order = _digests(50), RNG.permutation(50)
    mask = hold_out(digests, [0] * 50, np.arange(50), 0.2)
    shuffled = hold_out([digests[at] for at in order], [0] * 50, np.arange(50), 0.2)

    np.testing.assert_array_equal(mask[order], shuffled)


def test_seed() -> None:
    """The same seed selects the same photos, another seed selects others."""
    labels, groups = [0] * 100, np.arange(100)

    np.testing.assert_array_equal(_validation(labels, groups, 3), _validation(labels, groups, 3))
    assert not np.array_equal(_validation(labels, groups, 3), _validation(labels, groups, 4))


def test_one_different_photo() -> None:
    """A class whose photos are all copies of one photo is a usage error."""
    with pytest.raises(UsageError, match="class number 2 has 2 photos, which are copies"):
        _validation([0, 0, 1, 1], np.asarray([0, 1, 2, 2]))


def test_a_class_of_copies_of_another() -> None:
    """A class whose photos are all in another class too is a usage error that says so."""
    with pytest.raises(UsageError, match="number 2 has 2 photos, of which 2 are copies of photos"):
        _validation([0, 0, 1, 1], np.asarray([0, 1, 0, 1]))


def test_a_class_is_named() -> None:
    """With the names of the classes, the message has the name."""
    with pytest.raises(UsageError, match="the class 'pear' has 2 photos, which are copies"):
        hold_out(_digests(4), [0, 0, 1, 1], np.asarray([0, 1, 2, 2]), 0.2, names=("apple", "pear"))


def _png(picture: Pixels) -> bytes:
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def test_copies_of_files() -> None:
    """Equal files and nearly equal photos are in one group, in any orientation and size."""
    picture = _picture(1)
    larger = np.kron(np.rot90(picture), np.ones((3, 3, 1), np.uint8)).astype(np.uint8)
    files = [_png(picture), _png(_picture(2)), _png(larger), _png(_picture(2))]
    groups, knows_near = group_copies([fingerprint(file) for file in files])

    assert [0, 1, 0, 1] == groups.tolist()
    assert knows_near


def test_pictures_that_all_look_alike() -> None:
    """If most hashes are near one another, only files with equal bytes are copies."""
    pictures = [np.full((64, 64, 3), shade, np.uint8) for shade in range(100, 140)]
    files = [_png(picture) for picture in (*pictures, pictures[0])]
    groups, knows_near = group_copies([fingerprint(file) for file in files])

    assert [*range(40), 0] == groups.tolist()
    assert not knows_near


def test_hashes_that_tell_nothing() -> None:
    """Shapes on a plain ground with equal hashes that are no copies: only equal files count."""
    shapes = _shapes()
    groups, knows_near = group_copies([fingerprint(file) for file in (*shapes, shapes[0])])

    assert [*range(len(shapes)), 0] == groups.tolist()
    assert not knows_near


def test_copies_outweigh_shapes() -> None:
    """Among enough copies of photos, some shapes with equal hashes are no reason to miss them."""
    pictures = [_picture(seed) for seed in range(20)]
    files = [_png(picture) for picture in (*pictures, *(it[::-1] for it in pictures))]
    groups, knows_near = group_copies([fingerprint(file) for file in (*files, *_shapes())])

    assert knows_near
    assert list(range(20)) * 2 == groups[:40].tolist()


def _shapes() -> list[bytes]:
    """Return pictures of boxes on black, which have one hash and differ in their shades."""
    files = []
    for shades in product((30, 240), repeat=3):
        picture = np.zeros((64, 64, 3), np.uint8)
        for number, shade in enumerate((240, *shades)):
            picture[8 + 32 * (number // 2) :, 8 + 32 * (number % 2) :][:16, :16] = shade
        files.append(_png(picture))
    return files
