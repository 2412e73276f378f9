"""Where a webhook may lead: to the public internet by https, never into our own network.

Whoever may set a destination could else have us call the cloud's metadata address, the database's host or a neighbour
(server-side request forgery). The address is checked when it is set, and again by the resolver of each connection, so
a name that leads elsewhere by then is refused too. On the local stack http and private addresses are let through.
"""

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

LONGEST_URL = 2000
NAT64 = ipaddress.ip_network("64:ff9b::/96")
AZURE_HOST = ipaddress.ip_address("168.63.129.16")
"""A public number that leads to Azure's own host from inside any virtual network
(https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16)."""


class ForbiddenAddress(OSError):  # noqa: N818 - read as a sentence where it is raised
    """The address leads where a webhook may not go; the text names it."""


def fault_of(url: str, *, on_local_stack: bool) -> str | None:
    """Say what is wrong with a webhook's URL, as what was expected; None when nothing is."""
    if len(url) > LONGEST_URL or any(not "!" <= letter <= "~" for letter in url):
        return f"a URL in ASCII, without spaces, of {LONGEST_URL} characters at most"
    try:
        parts = URL(url)  # as the HTTP client reads it: two readers could see two hosts
    except ValueError:
        return "a URL such as https://alerts.example.com/ocs"
    schemes = ("https", "http") if on_local_stack else ("https",)
    if parts.scheme not in schemes or not parts.host:
        return "a URL that begins with https:// and names a host"
    if parts.user is not None or parts.password is not None or "#" in url:
        return "a URL without a name, a password or a #fragment"
    if not on_local_stack and _leads_inside(parts.host):
        return "a host on the public internet"
    return None


def is_public(number: str) -> bool:
    """Tell whether an IP address, written as a number, lies on the public internet."""
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner or address in NAT64:  # they wrap an IPv4 address, which may be one of ours
            return False
    return address.is_global and not address.is_multicast and address != AZURE_HOST


def _leads_inside(host: str) -> bool:
    """Tell whether a host is a number that is not public. Names are looked at when they are resolved.

    The client resolves nothing that consists of digits and dots, and hands odd ones (127.1) to the system as they are.
    """
    if f".{host.rstrip('.')}".endswith(".localhost"):
        return True
    if ":" not in host and not host.replace(".", "").isdigit():
        return False
    try:
        return not is_public(host)
    except ValueError:
        return True


class PublicResolver(AbstractResolver):
    """Resolves names and gives public addresses only; the connection goes to exactly what was checked."""

    def __init__(self) -> None:
        """Use the system's resolver."""
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give a name's addresses; raises ForbiddenAddress when one of them is not public."""
        found = await self._system.resolve(host, port, family)
        hidden = sorted({one["host"] for one in found if not is_public(one["host"])})
        if hidden:
            raise ForbiddenAddress(f"{host} leads to {', '.join(hidden)}, which is not on the public internet")
        return found

    async def close(self) -> None:
        """Close the system's resolver."""
        await self._system.close()
