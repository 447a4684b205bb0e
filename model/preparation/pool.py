"""Parallel work in worker processes; a process that dies costs one task only."""

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
    """Results of `work` for `tasks`, in the order in which they finish.

    If a process dies (killed for its memory, say), all running tasks are repeated one by one, and
    `died` makes the result of the task whose process dies again.

    Raises:
        Exception: from `work`; running tasks are then finished, the others are not started.
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
    """Results with their tasks; `running` always has the unfinished ones."""
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
    # not forked: HDF5 and libraries with threads do not survive a fork
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Ignore Ctrl-C, so that a worker finishes its patient; end with the parent process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quieten_libraries()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent dies, so that a killed run leaves no processes."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
