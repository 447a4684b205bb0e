"""Jobs have the priority that their sender or their rule gives."""

from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pynetdicom import AE

from core.priority import Priority
from network.upper_layer.dimse import read_command, store_request
from node.ledger.tables.series import series_of_association
from tests.support.completion import Completion, Start
from tests.support.receiver import start_receiver

SAMPLES = ("CT_small.dcm", "MR_small.dcm")


@pytest.mark.parametrize(
    ("value", "priority"),
    [*zip((0, 1, 2), ("MEDIUM", "HIGH", "LOW"), strict=True), (7, "MEDIUM"), (None, "MEDIUM")],
)
def test_priority_on_the_wire_is_that_of_ps3_7(value: int | None, priority: str) -> None:
    assert Priority.on_the_wire(value) == Priority[priority]


def test_the_priority_of_a_request_is_read_from_its_command_set() -> None:
    assert read_command(store_request(1, "1.2", "1.3")).priority == 2  # LOW, as we send


def test_a_series_has_the_highest_priority_that_its_sender_gave(tmp_path: Path) -> None:
    receiver = start_receiver(tmp_path)
    entity, samples = AE("TPS"), [dcmread(str(get_testdata_file(name))) for name in SAMPLES]
    for sample in samples:
        entity.add_requested_context(sample.SOPClassUID, sample.file_meta.TransferSyntaxUID)
    association = entity.associate(*receiver.address)
    for sample, priority in zip(samples, (1, 2), strict=True):
        assert association.send_c_store(sample, priority=priority).Status == 0
    association.release()
    with receiver.ledger.reading() as connection:
        found = series_of_association(connection, 1)
    receiver.listener.stop()
    receiver.ledger.close()
    assert found == {
        samples[0].SeriesInstanceUID: Priority.HIGH,
        samples[1].SeriesInstanceUID: Priority.LOW,
    }


def priority_of_job(
    completion: Completion, paths: list[Path], *given: Priority
) -> tuple[Priority, str]:
    """The priority of the job after an association for each `given`, and the words about it."""
    for priority in given:
        association = completion.open()
        completion.receive(association, paths, priority=priority)
        completion.series_completion.association_ended(association, "released")
    completion.settle()
    [job] = completion.jobs(paths)
    return job.priority, completion.words(paths)[-1]


def test_a_job_has_the_priority_that_its_sender_gave(start: Start, ct_paths: list[Path]) -> None:
    completion = start(peers=[{"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}])
    priority, words = priority_of_job(completion, ct_paths, Priority.HIGH, Priority.LOW)
    assert priority == Priority.HIGH
    assert "queued, priority high" in words


def test_a_rules_priority_replaces_the_senders(start: Start, ct_paths: list[Path]) -> None:
    rule = {"pipeline": "blur", "priority": "low"}
    completion = start(pipeline=None, rules=[rule])
    assert priority_of_job(completion, ct_paths, Priority.HIGH)[0] == Priority.LOW


def test_a_job_that_two_want_has_the_higher_priority(start: Start, ct_paths: list[Path]) -> None:
    rules = [{"called_ae_title": "URGENT", "pipeline": "blur", "priority": "high"}]
    completion = start(pipeline=None, rules=[*rules, {"pipeline": "blur"}])
    completion.send(ct_paths)
    completion.settle()
    completion.send(ct_paths, called="URGENT")
    completion.settle()
    [job] = completion.jobs(ct_paths)
    assert job.priority == Priority.HIGH
