"""Tests the list of licences."""

import re
import subprocess
import sys

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "licences.md").read_text()


def test_every_runtime_package_is_listed() -> None:
    """docs/licences.md lists the packages of the zip and of the extras."""
    command = [sys.executable, str(ROOT / "infra" / "licences.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


def test_every_licence_is_known() -> None:
    """Each package has a licence, and no package in the zip is under the plain GPL."""
    licences = re.findall(r"^\| [a-z0-9-]+ \| [^|]+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert len(licences) > 40
    assert "unknown" not in licences
    zip_part = PAGE.partition("## Packages in the Lambda")[2].partition("\n## ")[0]
    assert not re.search(r"(?<!Lesser )General Public|(?<!L)GPL-", zip_part)
