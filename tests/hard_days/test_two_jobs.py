"""Several jobs write to the same output in a bucket."""

import pytest

from tests.conftest import Bucket
from tests.hard_days.command import check_complete, classify_command, fill_bucket, finish, start

pytestmark = pytest.mark.beam


def test_three_jobs_at_once_leave_one_row_a_picture(s3: Bucket) -> None:
    """A job that starts second is refused with a message, or has nothing left to do."""
    command = classify_command(fill_bucket(s3, 60), f"{s3.uri}/out", "--chunk-size", "5")
    ended = [finish(run) for run in [start(command) for _ in range(3)]]
    assert 0 in [one.code for one in ended]
    for one in ended:
        if one.code:
            assert (2, "") == (one.code, one.out)
            assert "is taken" in one.message()
    # If two started at the same moment, both may have been refused.
    assert 0 == finish(start(command)).code
    check_complete(f"{s3.uri}/out", 60)
