"""Rules of the configuration file and of the environment variables."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from seefood.cli import cli
from seefood.cli.configuration import ConfigFile, config_keys, read_config, variables
from seefood.errors import UsageError


@click.command("paint")
@click.argument("sources", nargs=-1)
@click.option("--output", required=True)
@click.option("--max-size", type=int, default=1)
@click.option("--include", multiple=True)
@click.option("--loud", "tone", flag_value="loud")
@click.option("--soft", "tone", flag_value="soft")
@click.option("--json", "as_json", is_flag=True)
def paint_command(**_: object) -> None:
    """Do nothing."""


@click.command("mix")
@click.argument("output", required=False)
@click.option("--model")
def mix_command(**_: object) -> None:
    """Do nothing."""


COMMANDS = {"paint": paint_command, "mix": mix_command}


def values(text: str, folder: Path, name: str = "paint") -> dict[str, object]:
    path = folder / "seefood.toml"
    path.write_text(text)
    file = read_config(str(path))
    assert file is not None
    return file.for_command(name, COMMANDS[name], COMMANDS, COMMANDS.__getitem__)


def test_a_table_sets_the_options_of_its_command(tmp_path: Path) -> None:
    """Keys are the options' names with - or _, and the arguments' names."""
    text = (
        '[paint]\nsources = ["a", "b"]\noutput = "out"\nmax_size = 3\ninclude = "*.jpg"\n'
        "soft = true\nloud = false\njson = true\n[mix]\nmodel = 'm'\n"
    )
    assert {
        "sources": ["a", "b"],
        "output": "out",
        "max_size": "3",
        "include": ["*.jpg"],
        "tone": "soft",
        "as_json": True,
    } == values(text, tmp_path)


def test_the_top_level_is_for_every_command_and_gives_way(tmp_path: Path) -> None:
    """A key outside a table counts for each command that has it; the table has priority."""
    text = 'model = "m"\noutput = "all"\n[paint]\noutput = "own"\n'
    assert {"output": "own"} == values(text, tmp_path)
    assert {"model": "m"} == values(text, tmp_path, "mix")  # its `output` is an argument


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[paint]\nouptut = "x"', "`seefood paint` has no option 'ouptut'; did you mean output?"),
        ('sources = ["a"]', "sources is an argument of `seefood paint`; write it below [paint]"),
        ('modle = "x"', "no command has an option 'modle'; did you mean model?"),
        ('[piant]\noutput = "x"', "there is no command 'piant'; did you mean paint?"),
        ("paint = 3", "paint is a command; write its options below"),
        ('[paint]\njson = "yes"', "paint.json must be true or false, not 'yes'"),
        ('[paint]\noutput = ["x"]', "paint.output takes one value, not a list"),
        ("[paint]\noutput = true", "paint.output takes one value, not true"),
        ("mix = 3", "mix is a command; write its options below [mix]"),
        ("[paint.output]\nx = 1", "paint.output must be a value, not a table"),
        ("[paint", "is no TOML file"),
    ],
)
def test_a_wrong_key_or_value_is_refused(text: str, message: str, tmp_path: Path) -> None:
    """The message names the file and what is wrong, and the nearest name."""
    with pytest.raises(UsageError, match=r"seefood\.toml") as caught:
        values(text, tmp_path)
    assert message in str(caught.value)


def test_the_file_of_the_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`seefood.toml` has priority over `[tool.seefood]`; another tool's file is no error."""
    monkeypatch.chdir(tmp_path)
    assert read_config(None) is None
    project = tmp_path / "pyproject.toml"
    project.write_text("[project")
    assert read_config(None) is None
    project.write_text("[tool]\nseefood = 3\n")
    with pytest.raises(UsageError, match=r"tool\.seefood must be a table, not 3"):
        read_config(None)
    project.write_text('[tool.seefood]\nmodel = "p"\n')
    assert ConfigFile(Path("pyproject.toml"), {"model": "p"}) == read_config(None)
    (tmp_path / "seefood.toml").write_text('model = "own"\n')
    assert ConfigFile(Path("seefood.toml"), {"model": "own"}) == read_config(None)
    with pytest.raises(UsageError, match="cannot read nothing"):
        read_config("nothing.toml")


def test_each_option_has_two_variables() -> None:
    """The variable of the command has priority over the variable of the option."""
    option = config_keys(paint_command)["max-size"]
    assert ["SEEFOOD_PAINT_MAX_SIZE", "SEEFOOD_MAX_SIZE"] == variables("paint", option)


def test_config_show_tells_where_values_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Command line before environment before file before default."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seefood.toml").write_text('top-k = 2\n[predict]\nengine = "litert"\nmodel = "f"\n')
    environment = {"SEEFOOD_MODEL": "shared", "SEEFOOD_PREDICT_MODEL": "own"}
    shown = CliRunner().invoke(cli, ["config", "show", "predict", "--json"], env=environment)
    assert 0 == shown.exit_code, shown.output
    found = {each["option"]: (each["value"], each["source"]) for each in json.loads(shown.output)}
    assert ("own", "SEEFOOD_PREDICT_MODEL") == found["--model"]
    assert ("litert", "seefood.toml") == found["--engine"]
    assert ("2", "seefood.toml") == found["--top-k"]
    assert (None, "default") == found["--model-digest"]
    wrong = {"SEEFOOD_TOPK": "3", "SEEFOOD_RESULTS": "s3://of-the-lambda", "SEEFOOD_MODEL": "m"}
    noted = CliRunner().invoke(cli, ["config", "show", "predict"], env=wrong).stderr
    assert "SEEFOOD_TOPK sets no option; did you mean SEEFOOD_TOP_K?\n" == noted


def test_a_bad_value_tells_that_it_is_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value of the file is checked like one of the command line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seefood.toml").write_text("[predict]\ntop-k = 0\n")
    result = CliRunner().invoke(cli, ["predict", "x.jpg"])
    assert 2 == result.exit_code
    assert "0 is not in the range" in result.output


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("false", False)])
def test_a_flag_that_begins_with_no_means_what_it_says(text: str, *, expected: bool) -> None:
    """A true variable of --no-report leaves the report out."""
    options = ["config", "show", "classify", "--json"]
    shown = CliRunner().invoke(cli, options, env={"SEEFOOD_NO_REPORT": text})
    found = {each["option"]: each["value"] for each in json.loads(shown.stdout)}
    assert expected is found["--no-report"]


def test_config_show_tells_which_of_several_flags_is_set() -> None:
    """Of flags that set the same parameter, the variable's own one is set."""
    options = ["config", "show", "package", "--json"]
    shown = CliRunner().invoke(cli, options, env={"SEEFOOD_LOGITS": "1"})
    found = {each["option"]: (each["value"], each["source"]) for each in json.loads(shown.stdout)}
    assert (True, "SEEFOOD_LOGITS") == found["--logits"]
    assert (False, "default") == found["--probabilities"]
