"""Where a request comes from: behind a proxy, whom the proxy names."""

import ipaddress

from starlette.requests import HTTPConnection

_SITE_BITS = 64
"""A client of IPv6 has a whole network of its own (RFC 4291, section 2.5.4)."""
_FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded")


def address_of(request: HTTPConnection) -> str:
    """The IP address that a request comes from; `unknown` if a proxy names none."""
    address = _parsed(request)
    return "unknown" if address is None else str(address)


def client_of(request: HTTPConnection) -> str:
    """What counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
    address = _parsed(request)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _SITE_BITS), strict=False))
    return address_of(request)


def is_forwarded(request: HTTPConnection) -> bool:
    """True if a proxy says that it passes on what somebody else asks."""
    return any(name in request.headers for name in _FORWARDED)


def _parsed(request: HTTPConnection) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if request.client is None:
        return None
    try:
        address = ipaddress.ip_address(request.client.host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
