"""No secret is printed or written, whatever is wrong and whoever reports it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from seefood.storage.obstore_errors import ClientPanicError, without_panics
from tests.conftest import Bucket
from tests.pictures import jpeg

_CANARY: Final = "cAnArYvAlUe"
_PROCESS: Final = f'#!/bin/sh\necho {_CANARY} >&2\necho \'{{"SecretAccessKey": "{_CANARY}"\'\n'
_CONFIG: Final = f"""
[profile keys]
aws_access_key_id = AKIA{_CANARY}
aws_secret_access_key = {_CANARY}
aws_session_token = {_CANARY} {_CANARY}
[profile process]
credential_process = HOME/cp.sh --secret {_CANARY}
[profile broken
aws_secret_access_key = {_CANARY}
"""


def _settings(home: Path, s3: Bucket) -> Mapping[str, Mapping[str, str]]:
    """Return environments in which something is wrong beside a secret."""
    keys = {"AWS_ACCESS_KEY_ID": f"AKIA{_CANARY}", "AWS_SECRET_ACCESS_KEY": _CANARY}
    token = home / "token"
    token.write_text(f"{_CANARY}\n")
    container = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/c",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
    }
    return {
        "newline": keys | {"AWS_SESSION_TOKEN": f"{_CANARY}\n"},
        "line break inside": keys | {"AWS_SESSION_TOKEN": f"{_CANARY}\n{_CANARY}"},
        "other characters": {**keys, "AWS_SECRET_ACCESS_KEY": f"{_CANARY}\u2028é"},
        "proxy": keys | {"HTTP_PROXY": f"http://user:{_CANARY}@127.0.0.1:1"},
        "endpoint": keys | {"AWS_ENDPOINT_URL": f"http://user:{_CANARY}@127.0.0.1:1"},
        "no such endpoint": keys | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        "container": container,
        "profile": {"AWS_PROFILE": "keys"},
        "process": {"AWS_PROFILE": "process"},
        "broken file": {"AWS_CONFIG_FILE": str(home / "broken"), "AWS_PROFILE": "x"},
        "web identity": {
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
            "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
        },
        "signed for nobody": keys | {"AWS_ENDPOINT_URL": s3.endpoint},
    }


_NAMES: Final = (
    *("newline", "line break inside", "other characters", "proxy", "endpoint"),
    *("no such endpoint", "container", "profile", "process", "broken file", "web identity"),
    "signed for nobody",
)


def _run(
    words: Sequence[str], environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "seefood", *words],
        env=environment,
        capture_output=True,
        check=False,
        timeout=100,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", _NAMES)
def test_no_secret_is_printed_or_written(name: str, s3: Bucket, tmp_path: Path) -> None:
    """Not by a command, a library, a panic or a traceback, with `--verbose` as well."""
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    text = _CONFIG.replace("HOME", str(home))
    (home / "broken").write_text(text)
    (home / ".aws" / "config").write_text(text.partition("[profile broken")[0])
    (home / "cp.sh").write_text(_PROCESS)
    (home / "cp.sh").chmod(0o700)
    s3.put("in/a.jpg", jpeg())
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    environment = kept | {
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(home),
        **_settings(home, s3)[name],
    }
    uri, out = f"{s3.uri}/in/a.jpg", tmp_path / "out"
    printed = b""
    commands = [["--verbose", "predict", uri], ["doctor", s3.uri, "--json", "--no-engines"]]
    if name in ("newline", "signed for nobody"):  # the slowest command: it imports Beam
        commands.append(["classify", uri, "--output", str(out), "--quiet"])
    with ThreadPoolExecutor(len(commands)) as pool:  # at once: they wait for what does not answer
        ends = list(pool.map(lambda words: _run(words, environment), commands))
    for words, ended in zip(commands, ends, strict=True):
        printed += ended.stdout + ended.stderr
        assert b"unexpected" not in ended.stderr, ended.stderr
        assert b"panicked" not in ended.stderr, ended.stderr
        if words[0] == "classify":
            assert ended.stderr.count(b"\n") <= 2, ended.stderr
    written = b"".join(file.read_bytes() for file in out.rglob("*") if file.is_file())
    for secret in (_CANARY, _CANARY.lower(), _CANARY.encode().hex()):
        assert secret.encode() not in printed + written, printed.decode()


def test_a_panic_is_an_ordinary_error_without_its_message() -> None:
    """Rust's panics are no `Exception`; their message may repeat any value."""
    panic = type("PanicException", (BaseException,), {})

    def crash() -> None:
        raise panic(_CANARY)

    with pytest.raises(ClientPanicError) as caught:
        without_panics(crash)
    assert _CANARY not in str(caught.value)
    with pytest.raises(KeyboardInterrupt):
        without_panics(_interrupt)


def _interrupt() -> None:
    raise KeyboardInterrupt
