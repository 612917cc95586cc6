"""Links lead somewhere, and the commands that pages state exist with all their options."""

import re

import click
import pytest
import yaml  # type: ignore[import-untyped]

from infra.site_hooks import llms_text
from seefood.cli import cli
from tests.docs.pages import PAGES, ROOT, links, seefood_commands, words


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    """Each relative link is a file of this repository."""
    folder = (ROOT / page).parent
    assert [] == [target for target in links(page) if not (folder / target).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_understood(page: str) -> None:
    """Every command, option and choice that the page states is one of the command line's."""
    for line in seefood_commands(page):
        name, *arguments = words(line.replace("[", "").replace("]", "").replace("|", " "))[1:]
        with click.Context(cli) as context:
            command = cli.get_command(context, name)
        if name.startswith("-") or not name.islower():
            continue  # `seefood --help`, `seefood COMMAND`
        assert command is not None, line
        if "..." in arguments or isinstance(command, click.Group):
            continue
        mine = arguments[: arguments.index("--")] if "--" in arguments else arguments
        with click.Context(command, info_name=name) as context:
            known = {name for each in command.params for name in each.opts + each.secondary_opts}
            for option in (word.partition("=")[0] for word in mine if word.startswith("--")):
                assert option in known | {"--help", "--verbose", "--log", "--config"}, line


def test_llms_txt_lists_every_page_of_the_site() -> None:
    """Each page of the navigation has a name and the address that the site gives it."""
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", llms_text("s", "d", site["nav"]), re.MULTILINE)
    pages = re.findall(r"^ +- (.+): (\S+)\.md$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert [(name, f"{path}.html") for name, path in pages] == listed
