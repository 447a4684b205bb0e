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


def _own_addresses() -> set[str]:
    interfaces = psutil.net_if_addrs().values()
    return {address.address for addresses in interfaces for address in addresses}
