from pathlib import Path

import pytest

from seefood.bundle import default_bundle_path
from seefood.errors import UsageError
from seefood.imaging.decode import DEFAULT_LIMITS
from seefood.storage.uris import parse_location
from seefood_lambda.settings import is_own_writing, limits_for, read_settings


def test_without_an_environment_the_model_in_the_package_answers_and_nothing_is_written() -> None:
    """A door needs no setting to classify what it is sent."""
    settings = read_settings({})

    assert (default_bundle_path(), None, frozenset(), None) == (
        settings.bundle,
        settings.results,
        settings.allowed_buckets,
        settings.tag,
    )
    assert DEFAULT_LIMITS == settings.classify_options.limits


def test_each_variable_is_read() -> None:
    """Every setting that the module names arrives."""
    settings = read_settings(
        {
            "SEEFOOD_RESULTS": "s3://labels/2026",
            "SEEFOOD_WATCHED": "s3://photos/in/, s3://more/",
            "SEEFOOD_ALLOWED_BUCKETS": "photos more",
            "SEEFOOD_TAG": "seefood",
            "SEEFOOD_MODEL": "/opt/model",
            "SEEFOOD_MODEL_DIGEST": "0123456789ab",
            "SEEFOOD_TOP_K": "3",
            "SEEFOOD_MAX_BYTES": "1000",
            "SEEFOOD_MAX_PIXELS": "2000",
        }
    )

    assert parse_location("s3://labels/2026") == settings.results
    assert frozenset({"photos", "more"}) == settings.allowed_buckets
    assert ("seefood", Path("/opt/model"), "0123456789ab") == (
        settings.tag,
        settings.bundle,
        settings.digest,
    )
    classify_options = settings.classify_options
    assert (3, 1000, 2000) == (
        classify_options.top_k,
        classify_options.limits.max_bytes,
        classify_options.limits.max_pixels,
    )


@pytest.mark.parametrize(
    ("results", "watched"),
    [
        ("s3://photos", "s3://photos"),
        ("s3://photos/labels", "s3://photos/"),
        ("s3://photos/in/labels", "s3://photos/in/"),
        ("s3://photos", "s3://photos/up"),
        ("s3://photos/in", "s3://photos/i"),
    ],
)
def test_results_inside_the_watched_prefix_are_refused(results: str, watched: str) -> None:
    """A row written there would start the function again, for ever."""
    with pytest.raises(UsageError, match="each row would start it again"):
        read_settings({"SEEFOOD_RESULTS": results, "SEEFOOD_WATCHED": watched})


@pytest.mark.parametrize(
    ("results", "watched"),
    [
        ("s3://labels", "s3://photos"),
        ("s3://photos/labels", "s3://photos/in/"),
        ("s3://photos", "s3://photos/in/"),
    ],
)
def test_results_beside_the_watched_prefix_are_fine(results: str, watched: str) -> None:
    """One bucket may hold both, under two prefixes."""
    read_settings({"SEEFOOD_RESULTS": results, "SEEFOOD_WATCHED": watched})


def test_own_writings_are_known_by_their_place() -> None:
    """What lies in the data set's folders is no upload, whatever else is in the bucket."""
    results = parse_location("s3://photos/labels")

    assert [True, True, True, False, False] == [
        is_own_writing(f"s3://photos/labels{rest}", results)
        for rest in ("/uploads/x.json", "/results/a", "/runs/1", "/other.jpg", "-old/uploads/x")
    ]
    assert not is_own_writing("s3://photos/labels/uploads/x.json", None)


@pytest.mark.parametrize("value", ["0", "-1", "five", "1.5", "²"])
def test_a_wrong_number_is_refused(value: str) -> None:
    """The message names the variable and the value."""
    with pytest.raises(UsageError, match="SEEFOOD_TOP_K"):
        read_settings({"SEEFOOD_TOP_K": value})


def test_limits_follow_the_functions_memory() -> None:
    """A small function refuses what it could not hold; a large one takes what the bulk job does."""
    small, large = limits_for(512), limits_for(10240)

    assert DEFAULT_LIMITS == large
    assert small.max_decoded_pixels * 14 < 512 * 1024 * 1024
    assert 12_000_000 < small.max_decoded_pixels < large.max_decoded_pixels


def test_limits_and_salvage_can_be_set() -> None:
    """Each limit has its variable; without them the function's memory decides."""
    environ = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "SEEFOOD_MAX_MEMORY": "300000000",
        "SEEFOOD_MAX_FRAMES": "1",
        "SEEFOOD_SALVAGE": "1",
    }
    classify_options = read_settings(environ).classify_options
    assert (300_000_000, 1, True) == (
        classify_options.limits.max_decode_bytes,
        classify_options.limits.max_frames,
        classify_options.salvage,
    )
    plain = read_settings({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}).classify_options
    assert plain.limits.max_decode_bytes < 512 * 1024 * 1024
    assert not plain.salvage
