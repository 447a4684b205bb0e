"""Instances that come again with other content: a person takes the newest or the first."""

from collections.abc import Sequence
from pathlib import Path

import pydicom
import pytest

from node.ledger.row_states import DeliveryState, JobState
from node.ledger.tables.contents import choice_of
from node.ledger.tables.deliveries import delivery_states, queue_deliveries
from node.ledger.tables.series import instances_of
from node.ledger.views.receipts import receipt_of
from node.verbs import RELEASE, RESEND, RETRY, TAKES
from tests.completion.steps import finish
from tests.support.completion import Completion, Start, series_uid

NEWEST, FIRST = TAKES["newest"], TAKES["first"]
Changes = dict[str, str]
SECRET = {"PatientID": "SECRET7", "PatientName": "Secretname^Corrected"}


def corrected(paths: Sequence[Path], folder: Path, changes: Changes) -> list[Path]:
    """The same instances under their UIDs with other values."""
    folder.mkdir(exist_ok=True)
    written = []
    for path in paths:
        data_set = pydicom.dcmread(path)
        for keyword, value in changes.items():
            setattr(data_set, keyword, value)
        written.append(folder / path.name)
        data_set.save_as(written[-1])
    return written


def patient_ids(completion: Completion, paths: Sequence[Path]) -> set[str]:
    """Of the content that the latest job works on."""
    storage_path = completion.configuration.storage_path
    files = completion.jobs(paths)[-1].request.instance_paths
    return {str(pydicom.dcmread(storage_path / one).PatientID) for one in files}


@pytest.fixture
def disputed(completion: Completion, ct_paths: list[Path], tmp_path: Path) -> Completion:
    """Ten instances that were done, and come again with another patient."""
    completion.send(ct_paths)
    completion.settle()
    finish(completion, completion.jobs(ct_paths)[0])
    completion.send(corrected(ct_paths, tmp_path / "corrected", SECRET))
    completion.settle()
    return completion


def test_the_hold_names_attributes_and_counts_and_no_values(
    disputed: Completion, ct_paths: list[Path]
) -> None:
    row = disputed.series(ct_paths)
    assert (row.state, list(row.holds), row.is_releasable) == ("held", ["content disputed"], False)
    assert "10 instances were received again with different content" in row.reason
    assert "PatientName on 10, PatientID on 10; all contents are kept" in row.reason
    assert "SECRET7" not in str(disputed.words(ct_paths)) + row.reason
    assert "Secretname" not in str(disputed.words(ct_paths)) + row.reason


def test_a_plain_release_is_refused_and_says_how_to_choose(
    disputed: Completion, ct_paths: list[Path]
) -> None:
    answer = disputed.command(RELEASE, ct_paths)
    assert answer.is_refused
    assert "--take newest" in answer.words
    assert len(disputed.jobs(ct_paths)) == 1


def test_the_newest_is_used_by_a_revision_and_the_first_withdrawn(
    disputed: Completion, ct_paths: list[Path]
) -> None:
    answer = disputed.command(NEWEST, ct_paths)
    assert not answer.is_refused
    assert answer.words.startswith("the newest content of 10 instances counts from now on, 1 jobs")
    old, new = disputed.jobs(ct_paths)
    assert (old.state, new.state) == (JobState.WITHDRAWN, "queued")
    assert patient_ids(disputed, ct_paths) == {"SECRET7"}
    assert (new.request.revision, new.request.predecessor_job_id) == (2, old.job_id)
    expected = "the newest content of 10 instances was taken by eve from 192.0.2.9, "
    assert new.request.content_choice.startswith(expected)


def test_the_choice_is_in_the_ledger_and_the_receipt(
    disputed: Completion, ct_paths: list[Path]
) -> None:
    disputed.command(NEWEST, ct_paths)
    finish(disputed, disputed.jobs(ct_paths)[-1])
    with disputed.ledger.reading() as connection:
        choice = choice_of(connection, series_uid(ct_paths))
    assert choice is not None
    assert (choice.taken, choice.instances, choice.person) == ("newest", 10, "eve")
    assert "PatientID on 10" in choice.differences
    receipt = receipt_of(disputed.ledger, series_uid(ct_paths))
    assert receipt is not None
    assert receipt.content_choice == str(choice)
    assert f"content: {choice}" in receipt.lines()


def test_the_first_stands_as_it_is(disputed: Completion, ct_paths: list[Path]) -> None:
    assert not disputed.command(FIRST, ct_paths).is_refused
    [job] = disputed.jobs(ct_paths)
    assert job.state == "done"
    assert disputed.series(ct_paths).state == "processing"
    assert patient_ids(disputed, ct_paths) != {"SECRET7"}


def test_no_retry_or_resend_brings_the_other_content_back(
    start: Start, ct_paths: list[Path], tmp_path: Path
) -> None:
    completion = start(scu_ip="127.0.0.1", scu_port=11113)
    completion.send(ct_paths)
    completion.settle()
    [job] = completion.jobs(ct_paths)
    finish(completion, job)
    with completion.ledger.writing() as connection:
        queue_deliveries(
            connection,
            job,
            {one.peer: [("a", "1.2", "")] for one in job.destinations},
            completion.clock.now,
            held={},
        )
    completion.send(corrected(ct_paths[:2], tmp_path / "again", {"SeriesDescription": "other"}))
    completion.settle()
    answer = completion.command(NEWEST, ct_paths)
    assert "1 instances not sent" in answer.words
    old, new = completion.jobs(ct_paths)
    for verb in (RETRY, RESEND):
        completion.command(verb, ct_paths)
        with completion.ledger.reading() as connection:
            [state] = delivery_states(connection, old.job_id)
        assert state.state == DeliveryState.CANCELLED
        assert state.words.startswith("the newest content of 2 instances was taken")
    assert [one.state for one in completion.jobs(ct_paths)] == [JobState.WITHDRAWN, new.state]


def test_a_part_that_was_corrected_is_two_patients_until_the_rest_comes(
    completion: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    completion.send(ct_paths)
    completion.settle()
    new = corrected(ct_paths, tmp_path / "new", SECRET)
    completion.send(new[:3])
    completion.settle()
    answer = completion.command(NEWEST, ct_paths)
    assert answer.is_refused
    assert "more than one patient (7, 3 instances), expected one" in answer.words
    assert "of a patient that was corrected, send all instances corrected" in answer.words
    completion.send(new[3:])
    completion.settle()
    assert "7 instances were received again" in completion.series(ct_paths).reason
    assert not completion.command(NEWEST, ct_paths).is_refused
    assert patient_ids(completion, ct_paths) == {"SECRET7"}


def test_the_newest_of_three_contents_is_the_last(
    disputed: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    disputed.send(corrected(ct_paths, tmp_path / "third", {"PatientID": "THIRD"}))
    disputed.settle()
    assert "up to 3 contents of one" in disputed.series(ct_paths).reason
    disputed.command(NEWEST, ct_paths)
    assert patient_ids(disputed, ct_paths) == {"THIRD"}


def test_what_comes_after_a_choice_is_disputed_again_and_what_was_known_is_not(
    disputed: Completion, ct_paths: list[Path], tmp_path: Path
) -> None:
    disputed.command(NEWEST, ct_paths)
    disputed.send(ct_paths)  # the content that was not taken
    disputed.settle()
    assert disputed.series(ct_paths).state == "processing"
    disputed.send(corrected(ct_paths[:1], tmp_path / "later", {"PatientID": "LATER"}))
    disputed.settle()
    row = disputed.series(ct_paths)
    assert (row.state, list(row.holds)) == ("held", ["content disputed"])


def test_who_chooses_otherwise_gets_a_further_revision(
    disputed: Completion, ct_paths: list[Path]
) -> None:
    disputed.command(NEWEST, ct_paths)
    finish(disputed, disputed.jobs(ct_paths)[-1])
    assert disputed.command(NEWEST, ct_paths).is_refused  # in use already
    assert not disputed.command(FIRST, ct_paths).is_refused
    first, second, third = disputed.jobs(ct_paths)
    assert (first.state, second.state, third.request.revision) == (
        JobState.WITHDRAWN,
        JobState.WITHDRAWN,
        3,
    )
    assert third.request.instance_paths == first.request.instance_paths
    assert third.request.predecessor_job_id == second.job_id


def test_a_choice_where_nothing_came_twice_is_refused(
    completion: Completion, ct_paths: list[Path]
) -> None:
    completion.send(ct_paths)
    completion.settle()
    answer = completion.command(NEWEST, ct_paths)
    assert answer.is_refused
    assert "no instance of it was received with several contents" in answer.words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PatientName": "Other^Name"}, "PatientName on 10"),
        ({"PatientBirthDate": "19010101"}, "PatientBirthDate on 10"),
        ({"ImageComments": "x"}, "ImageComments on 10"),
    ],
)
def test_every_attribute_that_differs_is_named(
    completion: Completion, ct_paths: list[Path], tmp_path: Path, changes: Changes, words: str
) -> None:
    completion.send(ct_paths)
    completion.settle()
    completion.send(corrected(ct_paths, tmp_path / "corrected", changes))
    completion.settle()
    assert words in completion.series(ct_paths).reason
    with completion.ledger.reading() as connection:
        assert sum(one.differs for one in instances_of(connection, series_uid(ct_paths))) == 10
