"""Where a webhook may go: hosts are looked up by us, checked, and called by the address checked.

So a name that means a public address when it is checked and a private one when it is called gains
nothing. The name stays in the Host header, and the certificate is checked against it.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

# What these networks carry is an IPv4 address that nobody would see.
_TRANSLATED: Final = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"))
)
LOOKUP_SECONDS: Final = 5.0


class Forbidden(Exception):
    """A receiver stands where webhooks may not go."""


class Unknown(Exception):
    """A receiver's host has no address now."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL whose host was looked up."""

    url: str
    """With the address instead of the name."""
    host: str
    """Value of the Host header."""
    name: str
    """Name that the certificate has to have."""


async def target_of(url: str, *, private: bool) -> Target:
    """Look a URL's host up.

    Args:
        url: http or https.
        private: addresses of private networks are allowed.

    Raises:
        Unknown: there is no such host, or nobody answers what its address is.
        Forbidden: one of its addresses is not public, and `private` is not set.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Unknown(f"{name} has no address") from None
    addresses = [str(row[4][0]) for row in found]
    if not private and not all(map(is_public, addresses)):
        raise Forbidden(f"{name} has an address that is not public")
    # IPv4 first: where a machine has no way out by IPv6, its addresses are found all the same.
    address = min(addresses, key=lambda each: ":" in each)
    place = f"[{address}]" if ":" in address else address
    return Target(
        urlunsplit((parts.scheme, f"{place}:{port}", parts.path, parts.query, "")),
        parts.netloc,
        name,
    )


def is_public(address: str) -> bool:
    """Whether an address is everybody's: not of this machine, a private network or a group."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif any(found in network for network in _TRANSLATED):
            return False
    return found.is_global and not found.is_multicast
