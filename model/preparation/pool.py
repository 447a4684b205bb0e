"""Patients side by side in processes of their own; one that dies costs one patient."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

from core.log import quieten_libraries

Task = TypeVar("Task")
Result = TypeVar("Result")
_WAITING_FOR_EACH = 2


def in_processes(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    *,
    died: Callable[[Task], Result],
) -> Iterator[Result]:
    """What `work` makes of each of `tasks`, as they are finished.

    Where a process dies (killed for its memory, say), those it worked beside are done again one by
    one, and `died` answers for the one at fault.

    Raises:
        Exception: whatever `work` raises; what is running is then finished, the rest not begun.
    """
    left = list(tasks)
    while left:
        running: dict[Future[Result], Task] = {}
        try:
            for task, result in _together(work, left, min(workers, len(left)), running):
                left.remove(task)
                yield result
        except BrokenProcessPool:
            for task in running.values():
                left.remove(task)
                yield _alone(work, task, died)


def _together(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    running: dict[Future[Result], Task],
) -> Iterator[tuple[Task, Result]]:
    """`running` says all the time which are not finished."""
    with _pool(workers) as pool:
        todo = iter(list(tasks))
        while True:
            # few at a time: tasks carry lists of files
            for task in islice(todo, workers * _WAITING_FOR_EACH - len(running)):
                running[pool.submit(work, task)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield running.pop(future), result


def _alone(work: Callable[[Task], Result], task: Task, died: Callable[[Task], Result]) -> Result:
    try:
        with _pool(1) as pool:
            return pool.submit(work, task).result()
    except BrokenProcessPool:
        return died(task)


def _pool(workers: int) -> ProcessPoolExecutor:
    # not forked: HDF5 and threads of libraries do not survive that
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Ctrl-C ends the run, not the patient that a process is at: that one is finished first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quieten_libraries()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A run that was killed leaves no process that waits for work for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
