"""Resolve host names, and recognize addresses of this machine."""

import ipaddress
import socket

import psutil


def addresses_of(host: str) -> set[str]:
    """Every IP address of `host`; empty if the name cannot be resolved."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def is_this_machine(host: str) -> bool:
    """True if `host` is `localhost` or an address of this machine.

    Other names are not resolved, as callers hold a transaction and a name server may be slow.
    """
    if host.casefold() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or host in _own_addresses()


def reachable_addresses() -> list[str]:
    """IPv4 addresses at which other systems reach this machine, that of its default route first.

    Without IPv4, its IPv6 addresses. Addresses of loopback and of single links are left out.
    """
    found = [one for one in map(_address, _own_addresses()) if one is not None]
    wanted = [one for one in found if one.version == 4] or found
    first = _default_address()
    return sorted((str(one) for one in wanted), key=lambda one: (one != first, one))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None  # a MAC address, or IPv6 of one link
    return None if address.is_loopback or address.is_link_local else address


def _default_address() -> str:
    """This machine's address on its way to others; empty if it has none. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _own_addresses() -> set[str]:
    interfaces = psutil.net_if_addrs().values()
    return {address.address for addresses in interfaces for address in addresses}
