"""Preparation runs of patients that behave as told."""

from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from model.preparation.inputs.cases import Plan
from model.preparation.run import Result, Settings, run
from tests.learning.blobs import STRUCTURES
from tests.learning.processes import SyntheticTask
from tests.learning.reports import in_turn


def ran_in_processes(
    output: Path, tasks: Sequence[SyntheticTask], *, replace: bool = False
) -> Result:
    """A run of two processes without pictures."""
    settings = Settings(output, workers=2, pictures=False, replace=replace)
    return run(Plan(STRUCTURES, list(tasks)), settings, lambda _patient: None)


def ran(output: Path, tasks: Sequence[SyntheticTask], *, replace: bool = False) -> Result:
    """The same in this process, which is quicker."""
    with mock.patch("model.preparation.run.in_processes", in_turn):
        return ran_in_processes(output, tasks, replace=replace)
