"""Which addresses a host name or address stands for."""

import ipaddress
import socket

import psutil


def addresses_of(host: str) -> set[str]:
    """Every IP address of `host`; none when it cannot be resolved."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def is_this_machine(host: str) -> bool:
    """Whether what is sent to `host` stays here; not, where that is not known."""
    found = addresses_of(host)
    return bool(found) and found <= _own_addresses() | {one for one in found if _is_loopback(one)}


def _own_addresses() -> set[str]:
    interfaces = psutil.net_if_addrs().values()
    return {address.address for addresses in interfaces for address in addresses}


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
