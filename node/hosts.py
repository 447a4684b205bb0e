"""Which addresses a host name or address stands for."""

import socket


def addresses_of(host: str) -> set[str]:
    """Every IP address of `host`; none when it cannot be resolved."""
    try:
        return {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return set()
