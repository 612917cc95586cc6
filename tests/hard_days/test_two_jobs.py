"""Several jobs at once over one output in a bucket."""

import pytest

from tests.conftest import Bucket
from tests.hard_days.command import check_complete, finish, start, words
from tests.pictures import jpeg

pytestmark = pytest.mark.beam


def test_three_jobs_at_once_give_one_row_a_picture(s3: Bucket) -> None:
    """Who comes second is refused with a sentence, or finds all done."""
    for number in range(60):
        s3.put(f"in/{number:03d}.jpg", jpeg((200, number, 30)))
    command = words(f"{s3.uri}/in/", f"{s3.uri}/out", "--chunk-size", "5")
    ended = [finish(run) for run in [start(command) for _ in range(3)]]
    assert 0 in [one.code for one in ended]
    for one in ended:
        if one.code:
            assert (2, "") == (one.code, one.out)
            assert "is taken" in one.sentence()
    # If two started within the same moment, both may have stood back but the third.
    assert 0 == finish(start(command)).code
    check_complete(f"{s3.uri}/out", 60)
