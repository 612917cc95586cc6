"""Tests the files in infra/ with the tools that read them."""

import re
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner
from samtranslator.yaml_helper import yaml_parse

from infra.build_lambda_zip import PYTHON
from seefood.cli import cli
from seefood.runs.pricing import (
    Interval,
    Work,
    default_prices,
    expected_requests,
    load_prices,
    money,
)
from tests.conftest import ROOT
from tests.infra.resolved import TEMPLATE, read_template

_INFRA: Final = ROOT / "infra"
_DOCKERFILES: Final = ("bulk.Dockerfile", "lambda.Dockerfile")


def test_cfn_lint_finds_nothing() -> None:
    """Every property, reference and permission is valid in CloudFormation."""
    done = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--template", TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert (0, "") == (done.returncode, done.stdout)


def test_the_package_is_built_for_the_runtime() -> None:
    """The zip's wheels and bytecode are for the function's Python version."""
    function = read_template().resources("AWS::Lambda::Function")["Classifier"]["Properties"]

    assert f"python{PYTHON}" == function["Runtime"]


def test_every_parameter_has_a_default_and_a_description() -> None:
    """`make deploy` needs none, and the console explains each."""
    document = read_template().document

    assert not [name for name, one in document["Parameters"].items() if "Default" not in one]
    assert not [name for name, one in document["Parameters"].items() if not one["Description"]]
    groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert set(document["Parameters"]) == {name for one in groups for name in one["Parameters"]}


def test_every_suppressed_security_finding_has_a_reason() -> None:
    """The reason is a sentence."""
    resources = yaml_parse(TEMPLATE.read_text())["Resources"]
    skips = [
        skip
        for resource in resources.values()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]

    assert skips
    assert all(len(skip["comment"]) > 15 for skip in skips)


@pytest.mark.parametrize("name", _DOCKERFILES)
def test_an_image_is_pinned_and_does_not_run_as_root(name: str) -> None:
    """The base has a full version, Python packages have hashes, the user is a number."""
    text = (_INFRA / name).read_text()

    assert re.search(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+$", text, re.MULTILINE)
    assert {"${PYTHON_IMAGE}"} == set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    assert "--require-hashes" in text
    assert "--constraint constraints.txt" in text
    assert ["USER 10001:10001"] == [line for line in text.splitlines() if line.startswith("USER")]


@pytest.mark.parametrize("name", _DOCKERFILES)
def test_an_image_copies_existing_files_of_the_build_context(name: str) -> None:
    """Each source of a COPY exists, and `.dockerignore` does not exclude it."""
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (_INFRA / name).read_text(), re.MULTILINE)
    included = (ROOT / ".dockerignore").read_text().splitlines()

    sources = [source for line in copies for source in line.split()]
    assert sources
    assert [] == [source for source in sources if not (ROOT / source).exists()]
    assert [] == [source for source in sources if f"!{source}" not in included]


def test_the_timer_starts_a_service_with_a_valid_command() -> None:
    """Systemd's files parse, and `classify` has the command's options."""
    service, timer = RawConfigParser(strict=False), RawConfigParser()
    service.read(_INFRA / "seefood.service")
    timer.read(_INFRA / "seefood.timer")
    command = service["Service"]["ExecStart"].split()
    help_text = CliRunner().invoke(cli, ["classify", "--help"]).output

    assert "timers.target" == timer["Install"]["WantedBy"]
    assert ["/opt/seefood/bin/seefood", "classify"] == command[:2]
    assert all(word in help_text for word in command if word.startswith("--"))


def test_the_kubernetes_job_has_one_pod_for_each_shard() -> None:
    """And `classify` has the options of its command."""
    job = yaml_parse((_INFRA / "kubernetes.yaml").read_text())["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    arguments = container["args"]
    help_text = CliRunner().invoke(cli, ["classify", "--help"]).output

    assert (
        f"$(JOB_COMPLETION_INDEX)/{job['completions']}" == arguments[arguments.index("--shard") + 1]
    )
    assert all(word in help_text for word in arguments if word.startswith("--"))


def test_the_documents_prices_are_those_of_the_table() -> None:
    """docs/deploy.md has the values that `seefood.runs.pricing` computes from the newest prices."""
    prices = load_prices(default_prices())
    text = (ROOT / "docs" / "deploy.md").read_text()
    rows = re.findall(r"^\| (\d+) ms [^|]*\| \$(\S+) \| \$(\S+) \| \$(\S+) \|$", text, re.MULTILINE)

    assert 2 == len(rows)
    for milliseconds, *stated in rows:
        seconds = float(milliseconds) / 1000
        work = Work(
            pictures=10**6,
            requests=expected_requests(
                listed=10**6, pictures=10**6, rows=10**6, chunk_pictures=512, writes=True
            ),
            cpu_seconds=Interval(seconds, seconds, seconds),
            memory_bytes=800 * 2**20,
        )
        usd = {name: value["expected"] for name, value in money(work, prices).items()}
        expected = [f"{usd[name]:.2f}" for name in ("fargate_spot", "fargate", "lambda")]
        assert expected == stated


def test_names_in_the_documents_exist() -> None:
    """The outputs, parameters and files that docs/deploy.md names exist."""
    document = read_template().document
    text = (ROOT / "docs" / "deploy.md").read_text()

    for name in re.findall(r"`(infra/[\w.]+)`", text):
        assert Path(ROOT, name).exists(), name
    for name in re.findall(r"<([A-Z]\w+)>", text):
        assert name in document["Outputs"], name
    for name in re.findall(r"\b([A-Z]\w+)=", text):
        known = {*document["Parameters"], "REGION", "DRY_RUN", "PARAMETERS", "STACK", "MODEL"}
        assert name in {*known, "DELETE_DATA"} or name.startswith("AWS_"), name
