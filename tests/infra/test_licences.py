"""The list of licences: whole, and without one that the Lambda must not ship."""

import re
import subprocess
import sys

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "licences.md").read_text()


def test_every_runtime_package_is_listed() -> None:
    """What the zip ships and the extras install stands in docs/licences.md."""
    command = [sys.executable, str(ROOT / "infra" / "licences.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)


def test_every_licence_is_known() -> None:
    """No package is used without a licence, and the zip ships nothing under the plain GPL."""
    licences = re.findall(r"^\| [a-z0-9-]+ \| [^|]+ \| (.+) \|$", PAGE, re.MULTILINE)
    assert len(licences) > 40
    assert "unknown" not in licences
    zip_part = PAGE.partition("## What the Lambda")[2].partition("\n## ")[0]
    assert not re.search(r"(?<!Lesser )General Public|(?<!L)GPL-", zip_part)
