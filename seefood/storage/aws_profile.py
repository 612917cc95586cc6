"""Whether AWS credentials come from a profile, which boto3 can read and obstore cannot."""

import os
from importlib.util import find_spec
from pathlib import Path


def needs_boto3() -> bool:
    """Whether the credentials are in a profile and boto3 is installed to read them."""
    env = os.environ
    if "AWS_ACCESS_KEY_ID" in env and "AWS_PROFILE" not in env:
        return False
    has_profile = "AWS_PROFILE" in env or (Path.home() / ".aws" / "credentials").is_file()
    return has_profile and find_spec("boto3") is not None
