"""How many threads one job may use for its computing."""

import os


def threads_of_worker() -> int:
    """What the node gave its worker process (OMP_NUM_THREADS), else all cores of the machine.

    PyTorch goes by the same variable, so that jobs at the same time share the cores evenly.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else os.cpu_count() or 1
