"""What a test needs and this machine lacks."""

import os
from typing import NoReturn

import pytest


def unavailable(reason: str) -> NoReturn:
    """Skip the test; in CI fail it, where everything must be there and run.

    Nobody who only uses the node needs every peer program, PostgreSQL, or the right to mount.
    """
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)  # for a user: the machine, not the node, is what lacks something
