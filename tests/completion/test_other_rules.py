"""A series that no rule took is looked at again when the rules are others."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core.config.file import read_configuration
from node.completion.looking_again import look_again_at_kept
from node.ledger.schema import instances
from tests.completion.asking import goes, states
from tests.support.completion import HARD, SOFT, TPS, Completion, Start


@pytest.fixture
def kept(start: Start, ct_paths: list[Path]) -> Completion:
    """A series for a called title that no rule has."""
    completion = start(pipeline=None, peers=[TPS], rules=[SOFT])
    completion.send(ct_paths, called="HARD")
    completion.settle()
    assert states(completion, ct_paths) == ["kept"]
    return completion


def change(node: Completion, **keys: Any) -> int:
    """What a start with another configuration, or a reload, does."""
    given = {"storage_path": node.configuration.storage_path, "peers": [TPS]}
    given["checkpoint_path"] = node.configuration.storage_path.parent / "model.ckpt"
    configuration = read_configuration(None, given | keys)
    node.series_completion.follow(configuration)
    with node.ledger.writing() as connection:
        count = look_again_at_kept(connection, configuration, node.clock.now)
    node.settle(0)
    return count


def test_it_gets_the_job_of_a_rule_that_takes_it_now(
    kept: Completion, ct_paths: list[Path]
) -> None:
    assert change(kept, rules=[SOFT, HARD]) == 1
    assert goes(kept, ct_paths) == [("HARD", "unet", ["tps"])]
    assert any(words.startswith("the rules are others now: 10") for words in kept.words(ct_paths))
    assert change(kept, rules=[SOFT]) == 0  # it was taken, and stays so


def test_it_gets_the_pipeline_that_the_command_line_gives_everything(
    kept: Completion, ct_paths: list[Path]
) -> None:
    assert change(kept, rules=[SOFT], pipeline="blur") == 1
    assert goes(kept, ct_paths) == [("HARD", "blur", ["tps"])]


def test_with_the_same_rules_nothing_is_looked_at(kept: Completion, ct_paths: list[Path]) -> None:
    assert change(kept, rules=[SOFT], completion={"settle_s": 9}) == 0
    assert states(kept, ct_paths) == ["kept"]


def test_what_still_no_rule_takes_stays_kept_and_is_told_once(
    kept: Completion, ct_paths: list[Path]
) -> None:
    before = kept.words(ct_paths)
    other = [SOFT | {"called_ae_title": "OTHER"}]
    assert change(kept, rules=other) == 1
    assert change(kept, rules=other) == 0
    assert states(kept, ct_paths) == ["kept"]
    assert kept.words(ct_paths) == before


def test_old_series_stay_as_they_are(kept: Completion, ct_paths: list[Path]) -> None:
    kept.clock.now += 8 * 86400
    assert change(kept, rules=[HARD]) == 0
    assert change(kept, rules=[HARD], completion={"look_again_days": 9}) == 1
    assert goes(kept, ct_paths) == [("HARD", "unet", ["tps"])]


def test_a_person_switches_it_off(kept: Completion) -> None:
    assert change(kept, rules=[HARD], completion={"look_again_days": 0}) == 0


def test_a_series_of_which_files_were_removed_stays_as_it_is(
    kept: Completion, ct_paths: list[Path]
) -> None:
    with kept.ledger.writing() as connection:
        connection.execute(update(instances).values(removed_at=1.0))
    assert change(kept, rules=[HARD]) == 0
    assert states(kept, ct_paths) == ["kept"]


def test_a_sender_that_a_rule_took_is_not_judged_again_with_one_that_none_took(
    kept: Completion, ct_paths: list[Path]
) -> None:
    kept.send(ct_paths, called="SOFT")
    kept.settle()
    assert states(kept, ct_paths) == ["kept", "submitted"]
    assert change(kept, rules=[SOFT, HARD]) == 1
    assert [pipeline for _, pipeline, _ in goes(kept, ct_paths)] == ["unet", "blur"]
    assert len(kept.jobs(ct_paths)) == 2


def test_a_series_that_was_sent_twice_is_looked_at_once(
    kept: Completion, ct_paths: list[Path]
) -> None:
    kept.send(ct_paths, called="HARD")
    kept.settle()
    assert states(kept, ct_paths) == ["kept", "kept"]
    assert change(kept, rules=[HARD]) == 1
    assert states(kept, ct_paths) == ["kept", "submitted"]
    assert change(kept, rules=[SOFT, HARD]) == 0
