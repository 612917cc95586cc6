"""Loopback servers that record each request: before an S3 server, as a proxy, for credentials.

region       refuses what is not signed for eu-west-1, and names that region, as S3 does
malformed    the same with S3's other answer, status 400
payer        refuses what does not say that the requester pays
plain        passes everything on
proxy        passes absolute URLs and CONNECT on
credentials  answers as a container's credential service, as STS and as the portal of SSO
"""

import contextlib
import datetime as dt
import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import urlsplit

Kind = Literal["region", "malformed", "payer", "plain", "proxy", "credentials"]
REGION: Final = "eu-west-1"
_CREDENTIAL: Final = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")


@dataclass(frozen=True)
class Seen:
    """One request."""

    method: str
    path: str
    host: str
    access_key: str | None
    region: str | None
    payer: str | None
    token: str | None
    authorization: str | None


class RecordingFront:
    """One server on a free loopback port."""

    def __init__(
        self,
        kind: Kind,
        upstream: str = "",
        certificate: str | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        """`certificate` is a PEM file with certificate and key: the server then speaks TLS."""
        self.kind = kind
        self.seen: list[Seen] = []
        self.life_seconds = 3600.0
        """Of the credentials that `credentials` hands out."""
        self.denied: set[str] = set()
        """Access keys that are answered with ExpiredToken."""
        self.served = 0
        self._upstream = urlsplit(upstream).netloc
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                front._serve(self)

            do_PUT = do_HEAD = do_POST = do_DELETE = do_CONNECT = do_GET  # noqa: N815 (their names)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
                """Print nothing."""

        self._server = ThreadingHTTPServer(address, Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["RecordingFront"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(5.0)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        headers = handler.headers
        body = handler.rfile.read(int(headers.get("Content-Length") or 0))
        found = _CREDENTIAL.search(headers.get("authorization") or "")
        self.seen.append(
            Seen(
                handler.command,
                handler.path,
                headers.get("host", ""),
                found[1] if found else None,
                found[2] if found else None,
                headers.get("x-amz-request-payer"),
                headers.get("x-amz-security-token"),
                headers.get("authorization"),
            )
        )
        if self.kind == "credentials":
            return self._credentials(handler, body)
        if handler.command == "CONNECT":
            return _tunnel(handler)
        if found and found[1] in self.denied:
            return _respond(handler, 400, {}, b"<Error><Code>ExpiredToken</Code></Error>")
        if found and found[2] != REGION and self.kind == "region":
            body = b"<Error><Code>PermanentRedirect</Code><Message>no</Message></Error>"
            return _respond(handler, 301, {"x-amz-bucket-region": REGION}, body)
        if found and found[2] != REGION and self.kind == "malformed":
            body = (
                "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header"
                f" is malformed</Message><Region>{REGION}</Region></Error>"
            ).encode()
            return _respond(handler, 400, {}, body)
        if self.kind == "payer" and headers.get("x-amz-request-payer") != "requester":
            return _respond(handler, 403, {}, b"<Error><Code>AccessDenied</Code></Error>")
        return self._forward(handler, body)

    def _credentials(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        self.served += 1
        end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.life_seconds)
        key, expires = f"KEY{self.served}", end.strftime("%Y-%m-%dT%H:%M:%SZ")
        if b"Action=AssumeRole" in body:
            name = "AssumeRoleWithWebIdentity" if b"WebIdentity" in body else "AssumeRole"
            text = (
                f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>'
                f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                f"<SessionToken>t</SessionToken><Expiration>{expires}</Expiration></Credentials>"
                "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>"
                f"<AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser></{name}Result>"
                f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{name}Response>"
            )
            return _respond(handler, 200, {"Content-Type": "text/xml"}, text.encode())
        if handler.path.startswith("/federation/credentials"):  # of single sign-on
            role = {"accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t"}
            answer = {"roleCredentials": role | {"expiration": int(end.timestamp() * 1000)}}
            return _respond(handler, 200, {}, json.dumps(answer).encode())
        values = {"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": expires}
        return _respond(handler, 200, {}, json.dumps(values).encode())

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        url = urlsplit(handler.path)
        netloc = url.netloc or self._upstream
        path = handler.path.split(url.netloc, 1)[1] if url.netloc else handler.path
        connection = http.client.HTTPConnection(netloc, timeout=60)
        dropped = ("connection", "proxy-connection")
        sent = {k: v for k, v in handler.headers.items() if k.lower() not in dropped}
        connection.request(handler.command, path, body, sent)
        response = connection.getresponse()
        data = response.read()
        headers = {
            name: value
            for name, value in response.getheaders()
            if name.lower() not in ("transfer-encoding", "connection", "content-length")
        }
        length = response.getheader("Content-Length") if handler.command == "HEAD" else None
        connection.close()
        _respond(handler, response.status, headers, data, length)


def _respond(
    handler: BaseHTTPRequestHandler,
    status: int,
    headers: dict[str, str],
    body: bytes,
    length: str | None = None,
) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", length or str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


def _tunnel(handler: BaseHTTPRequestHandler) -> None:
    """Connect to the host if it is on loopback; refuse every other one, which is on record."""
    host, _, port = handler.path.rpartition(":")
    handler.close_connection = True
    if host != "127.0.0.1":
        return _respond(handler, 502, {}, b"")
    far = socket.create_connection((host, int(port)))
    handler.send_response_only(200)
    handler.end_headers()

    def pump(source: Any, target: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    threading.Thread(target=pump, args=(far, handler.connection), daemon=True).start()
    return pump(handler.connection, far)
