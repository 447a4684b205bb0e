"""A series that would take more memory in a worker than is allowed waits for a person."""

from pathlib import Path
from typing import Any

import pytest

from core.config.settings import Configuration
from core.errors import ConfigurationError
from core.hold_reasons import HoldReason
from node.verbs import RELEASE
from tests.support.completion import Start


@pytest.fixture
def paths(ct_folder: Path) -> list[Path]:
    """31 slices of 158 x 154 pixels: 3.02 MB."""
    return sorted(ct_folder.glob("*.dcm"))[:31]


def test_it_is_held_with_both_sizes_and_the_key_and_no_release_passes_over_it(
    start: Start, paths: list[Path]
) -> None:
    completion = start(engine={"maximum_decoded_mb": 3})
    completion.send(paths)
    completion.settle()
    row = completion.series(paths)
    assert row.state == "held"
    assert (
        "31 images of up to 158 x 154 pixels take 4 MB decoded, expected 3 MB or less "
        "(engine.maximum_decoded_mb)"
    ) in row.reason
    assert list(row.holds) == [HoldReason.TOO_LARGE]
    assert not row.is_releasable
    assert completion.command(RELEASE, paths).is_refused
    assert completion.jobs(paths) == []


def test_up_to_the_bound_it_runs(start: Start, paths: list[Path]) -> None:
    completion = start(engine={"maximum_decoded_mb": 4})
    completion.send(paths)
    completion.settle()
    assert [job.state for job in completion.jobs(paths)] == ["queued"]


def test_what_no_rule_takes_is_kept_whatever_its_size(start: Start, paths: list[Path]) -> None:
    completion = start(pipeline=None, engine={"maximum_decoded_mb": 1})
    completion.send(paths)
    completion.settle()
    assert completion.series(paths).state == "kept"


@pytest.mark.parametrize("bound", [0, -1, "inf"])
def test_the_bound_cannot_be_switched_off(bound: Any) -> None:
    with pytest.raises((ValueError, ConfigurationError)):
        Configuration.model_validate({"engine": {"maximum_decoded_mb": bound}})
