"""The addresses of a local server: what to open, also from a phone, and which hosts to answer to.

A page of another site can make a browser call this server by a name that the site controls (DNS
rebinding). Such a request names that site in its Host header and is refused. An IP address cannot
be rebound, so addresses are answered to.
"""

import io
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from seefood.errors import UsageError

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ANY: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 (the user's choice, not ours)
# RFC 9110, "uri-host [ ":" port ]"; the host in brackets is an IPv6 address.
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.%]+)\]|([^\s:,@\[\]]+))(?::[0-9]{0,5})?", re.IGNORECASE)
_DOCUMENTATION: Final = ("192.0.2.1", 9)  # an address that is no one's; nothing is sent to it


@dataclass(frozen=True, slots=True)
class HostCheck:
    """Which names in a request's Host header are answered to."""

    names: frozenset[str]
    takes_addresses: bool = True

    @classmethod
    def of(cls, host: str, more: Iterable[str] = ()) -> "HostCheck":
        """Return the check for a server that listens on `host`; `more` are the user's names."""
        own = {"localhost", host.lower(), *(name.lower().rstrip(".") for name in more)}
        if host not in _LOOPBACK:
            name = socket.gethostname().lower()
            own |= {name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}
        return cls(frozenset(own))

    def accepts(self, header: str | None) -> bool:
        """Whether a request with this Host header was meant for this server.

        Several hosts in one header, as a server that joins repeated headers sees them, are none.
        """
        parts = _HOST.fullmatch((header or "").strip().lower())
        if parts is None:
            return False
        name = (parts[1] or parts[2]).rstrip(".")
        if name in self.names:
            return True
        with suppress(ValueError):
            ip_address(name)
            return self.takes_addresses
        return False


def is_any(host: str) -> bool:
    """Whether a server on `host` listens on every address of this machine."""
    return host in _ANY


def url_of(host: str, port: int) -> str:
    """Return the address to open in a browser on this machine."""
    shown = "localhost" if host == "127.0.0.1" or is_any(host) else host
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def phone_url(host: str, port: int) -> str | None:
    """Return the address to open on another machine of the network; None if there is none."""
    if not is_any(host):
        return None if host in _LOOPBACK else url_of(host, port)
    address = _network_address()
    return None if address is None else url_of(address, port)


def qr_code(text: str) -> str:
    """Return a QR code of `text` for a terminal."""
    import segno  # noqa: PLC0415 (only where a phone may call)

    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def phone_lines(host: str, port: int, path: str = "") -> list[str]:
    """Return the lines that say where a phone opens the page; none if the page is local."""
    phone = phone_url(host, port)
    if phone is not None:
        url = f"{phone}{path}"
        return [f"On a phone in this network: {url}", qr_code(url).rstrip("\n")]
    if is_any(host):
        return ["This machine has no address in a network, so no phone can open the page."]
    return []


def _network_address() -> str | None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_DOCUMENTATION)
        return str(probe.getsockname()[0])
    with suppress(OSError):
        found = socket.gethostbyname_ex(socket.gethostname())[2]
        return next((address for address in found if not address.startswith("127.")), None)
    return None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises `UsageError` if it cannot."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        reason = str(error.strerror).partition(" (while ")[0]  # which repeats the address
        where = f"{host}:{port}" if port else host
        raise UsageError(
            f"cannot listen on {where}: {reason}; choose another --port or --host"
        ) from error
