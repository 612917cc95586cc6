"""The documented commands and snippets that tests/docs does not run, each with its reason."""

from typing import Final, NamedTuple


class Elsewhere(NamedTuple):
    """A command that needs more than drawn pictures and a few seconds."""

    pattern: str
    """A regular expression for the whole command line."""
    reason: str
    test: str | None = None
    """The test that runs the same thing on something smaller, if there is one."""


_AWS: Final = "needs an AWS account; the steps are run against fakes"
_TRAINS: Final = "trains or converts a network"

COMMANDS: Final = (
    Elsewhere(r"pip install .*", "needs a package registry; the extra's name is checked"),
    Elsewhere(r"uvx .*", "needs a package registry", "tests/end_to_end/test_wheel.py"),
    Elsewhere(
        r"make (test|check|format|docs|bench|soak|fuzz|\.venv).*", "minutes; is read by make -n"
    ),
    Elsewhere(
        r"make demo.*", "installs; is read by make -n", "tests/seefood/synthetic/conftest.py"
    ),
    Elsewhere(r"make (deploy|destroy) .*", _AWS, "tests/infra/test_deploy.py"),
    Elsewhere(r".*infra/deploy.py upload-model .*", _AWS, "tests/infra/test_deploy.py"),
    Elsewhere(r"aws .*", "needs AWS's own program and an account"),
    Elsewhere(r"B=<ResultsBucketName>", "sets a variable for the next command"),
    Elsewhere(
        r"sudo .*|systemctl .*", "needs systemd and root; systemd-analyze verified the units"
    ),
    Elsewhere(
        r".*--runner=FlinkRunner.*|make flink-.*|eval .*s3-up.*",
        "needs Java, Maven and Go",
        "tests/pipeline/test_flink.py",
    ),
    Elsewhere(r".*--runner=(Dataflow|Spark)Runner.*", "needs a cluster; the page says `not run`"),
    Elsewhere(
        r"java .*SparkJobServerDriver.*|python my_pipeline.py --runner=PortableRunner .*",
        "needs Java and Maven; the page says `run once, by hand`",
    ),
    Elsewhere(
        r"seefood classify --shard batch",
        "reads AWS Batch's variables",
        "tests/infra/test_stack.py",
    ),
    Elsewhere(
        r".* --format arrays|seefood plan first://.*|seefood inspect hotdog",
        "runs with the additions of docs/extending.md",
        "tests/docs/test_extending.py",
    ),
    Elsewhere(r"seefood train .*", _TRAINS, "tests/end_to_end/test_wheel.py"),
    Elsewhere(
        r"python -m seefood_training.recipe .*", _TRAINS, "tests/training/test_run_release.py"
    ),
    Elsewhere(r"python -m benchmarks.transfer .*", _TRAINS, "tests/benchmarks"),
    Elsewhere(r"\.venv/bin/python -m benchmarks.*", "takes minutes", "tests/benchmarks"),
    Elsewhere(r"seefood features BUNDLE", "loads TensorFlow", "tests/training/features"),
    Elsewhere(r"seefood teach .*", "fits and certifies a layer", "tests/docs/test_notebook.py"),
    Elsewhere(r"seefood cascade .*", _TRAINS, "tests/training/test_cascade.py"),
    Elsewhere(
        r"seefood evaluate .* --corrections .*", "needs labels", "tests/training/test_corrected.py"
    ),
    Elsewhere(r"seefood evaluate food .*", "needs `food`", "tests/training/test_acceptance.py"),
    Elsewhere(
        r"seefood evaluate BUNDLE DATA .*",
        "needs labelled photos",
        "tests/training/test_evaluate.py",
    ),
    Elsewhere(r"seefood package .*|head -3 known.csv", _TRAINS, "tests/training/packaging"),
    Elsewhere(r".* --model bundles/flowers", "needs `flowers`", "tests/training/packaging"),
    Elsewhere(
        r"seefood promote .*|.* current.json .*|seefood reference .*",
        "needs audited models",
        "tests/training/teaching/test_loop.py",
    ),
)

SNIPPETS: Final = {
    ("docs/beam.md", "python"): "tests/pipeline/test_documented_code.py",
    ("docs/python.md", "python"): "tests/pipeline/test_documented_code.py",
    ("docs/beam.md", "dockerfile"): "not run: Beam's image comes from a registry",
    ("docs/review.md", "sql"): "tests/seefood/corrections/test_sql_view.py",
    ("docs/extending.md", "diff"): "tests/docs/test_extending.py",
}
"""Where the snippets of a language on a page are run, or why they are not."""
