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
    """Whether what is sent to `host` stays here; of a name but `localhost` nobody is asked.

    It is called where others wait, and an answer from a name server may take long.
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
