"""Ports for programs that are told where to listen, each given to one process alone."""

import random
import socket

_FIRST, _LAST = 20_000, 32_000
"""Below those that the system hands out by itself, so that no connection takes one by chance."""


def free_port() -> int:
    """A port that nobody listens on, and that no other test is given while this process lives.

    Raises RuntimeError where every one is taken.
    """
    for port in random.sample(range(_FIRST, _LAST), _LAST - _FIRST):
        if _is_free(port) and _claim(port):
            return port
    raise RuntimeError(f"no port from {_FIRST} to {_LAST} is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _binds(probe, ("127.0.0.1", port))


def _claim(port: int) -> bool:
    """By an abstract name (Linux), which the kernel forgets with the process."""
    name = socket.socket(socket.AF_UNIX)
    if _binds(name, f"\0slicewire-test-port-{port}"):
        name.detach()  # stays open until the process ends
        return True
    name.close()
    return False


def _binds(one: socket.socket, address: tuple[str, int] | str) -> bool:
    try:
        one.bind(address)
    except OSError:
        return False
    return True


def answers(port: int) -> bool:
    """True if somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
