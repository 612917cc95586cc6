from pathlib import Path

import pytest

from seefood.bundle import default_bundle_path
from seefood.errors import UsageError
from seefood.imaging.decode import DEFAULT_LIMITS
from seefood.storage.uris import parse_location
from seefood_lambda.settings import is_own_output, limits_for, read_config


def test_without_variables_the_built_in_model_is_used_and_nothing_is_written() -> None:
    """The handler needs no setting to classify a picture that it is sent."""
    config = read_config({})

    assert (default_bundle_path(), None, frozenset(), None) == (
        config.bundle,
        config.results,
        config.allowed_buckets,
        config.tag,
    )
    assert DEFAULT_LIMITS == config.options.limits


def test_each_variable_is_read() -> None:
    """Every variable that the module names is in the configuration."""
    config = read_config(
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

    assert parse_location("s3://labels/2026") == config.results
    assert frozenset({"photos", "more"}) == config.allowed_buckets
    assert ("seefood", Path("/opt/model"), "0123456789ab") == (
        config.tag,
        config.bundle,
        config.digest,
    )
    options = config.options
    assert (3, 1000, 2000) == (
        options.top_k,
        options.limits.max_bytes,
        options.limits.max_pixels,
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
    """Each row written there would invoke the function again."""
    with pytest.raises(UsageError, match="each row would start it again"):
        read_config({"SEEFOOD_RESULTS": results, "SEEFOOD_WATCHED": watched})


@pytest.mark.parametrize(
    ("results", "watched"),
    [
        ("s3://labels", "s3://photos"),
        ("s3://photos/labels", "s3://photos/in/"),
        ("s3://photos", "s3://photos/in/"),
    ],
)
def test_results_beside_the_watched_prefix_are_allowed(results: str, watched: str) -> None:
    """One bucket may contain both, under two prefixes."""
    read_config({"SEEFOOD_RESULTS": results, "SEEFOOD_WATCHED": watched})


def test_own_output_is_recognised_by_its_prefix() -> None:
    """Objects in the folders of the results are no uploads."""
    results = parse_location("s3://photos/labels")

    assert [True, True, True, True, True, False, False] == [
        is_own_output(f"s3://photos/labels{rest}", results)
        for rest in (
            *("/uploads/x.json", "/results/a", "/runs/1", "/corrections/jo/1.jsonl"),
            *("/audits/1.json", "/other.jpg", "-old/uploads/x"),
        )
    ]
    assert not is_own_output("s3://photos/labels/uploads/x.json", None)


@pytest.mark.parametrize("value", ["0", "-1", "five", "1.5", "²"])
def test_a_wrong_number_is_refused(value: str) -> None:
    """The message names the variable."""
    with pytest.raises(UsageError, match="SEEFOOD_TOP_K"):
        read_config({"SEEFOOD_TOP_K": value})


def test_limits_follow_the_functions_memory() -> None:
    """A small function refuses pictures that would not fit; a large one has the job's limits."""
    small, large = limits_for(512), limits_for(10240)

    assert DEFAULT_LIMITS == large
    assert small.max_decoded_pixels * 14 < 512 * 1024 * 1024
    assert 12_000_000 < small.max_decoded_pixels < large.max_decoded_pixels


def test_limits_and_salvage_can_be_set() -> None:
    """Each limit has a variable; the defaults follow from the function's memory."""
    environ = {
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "SEEFOOD_MAX_MEMORY": "300000000",
        "SEEFOOD_MAX_FRAMES": "1",
        "SEEFOOD_SALVAGE": "1",
    }
    options = read_config(environ).options
    assert (300_000_000, 1, True) == (
        options.limits.max_decode_bytes,
        options.limits.max_frames,
        options.salvage,
    )
    plain = read_config({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"}).options
    assert plain.limits.max_decode_bytes < 512 * 1024 * 1024
    assert not plain.salvage
