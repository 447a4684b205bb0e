"""Patients side by side in processes of their own; one that dies costs one patient."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
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
    try:
        for task, result in _together(work, tasks, workers):
            left.remove(task)
            yield result
    except BrokenProcessPool:
        for task in left:
            yield _alone(work, task, died)


def _together(
    work: Callable[[Task], Result], tasks: Sequence[Task], workers: int
) -> Iterator[tuple[Task, Result]]:
    with _pool(workers) as pool:
        running: dict[Future[Result], Task] = {}
        todo = iter(tasks)
        while True:
            # few at a time: tasks carry lists of files
            while len(running) < workers * _WAITING_FOR_EACH:
                task = next(todo, None)
                if task is None:
                    break
                running[pool.submit(work, task)] = task
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()


def _alone(work: Callable[[Task], Result], task: Task, died: Callable[[Task], Result]) -> Result:
    try:
        with _pool(1) as pool:
            return pool.submit(work, task).result()
    except BrokenProcessPool:
        return died(task)


def _pool(workers: int) -> ProcessPoolExecutor:
    # not forked: HDF5 and threads of libraries do not survive that
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=quieten_libraries)
