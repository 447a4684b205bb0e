"""A person pauses pipelines and peers: what waits because of it says so, and nothing is lost."""

from pathlib import Path

import pytest

from core.errors import RequestedJobError
from node.answers import Answer, Asker
from node.clock import NodeClock
from node.commands import answer_to, ask, carry_out
from node.ledger.database import open_ledger
from node.ledger.requests.jobs import Destination, JobRow
from node.ledger.requests.waiting_jobs import next_queued
from node.ledger.schema import commands, deliveries
from node.ledger.tables.deliveries import due_jobs, queue_deliveries
from node.ledger.tables.events import events_of
from node.ledger.tables.pauses import Pausable, all_pauses
from node.ledger.tables.proofs import due_proofs, queue_proof
from node.ledger.views.series_history import history_of
from node.ledger.views.status import status_lines
from node.pausing import PAUSE, RESUME, pause_target
from tests.completion.steps import finish, told
from tests.support.completion import TPS, Completion, Start, series_uid
from tests.support.databases import database_url_for

PIPELINE, PEER = Pausable
ADDRESS = str(TPS["ip"])


@pytest.fixture
def queued(start: Start, ct_paths: list[Path]) -> Completion:
    """One job waits, whose results go to the peer tps."""
    completion = start(pipeline=None, peers=[TPS], rules=[{"pipeline": "blur"}])
    completion.send(ct_paths, address=ADDRESS)
    completion.settle()
    return completion


def person(completion: Completion, verb: str, what: Pausable, name: str) -> Answer:
    target, asked = pause_target(completion.configuration, completion.ledger, what, name)
    eve = Asker("eve", "192.0.2.9")
    command = ask(completion.ledger, verb, target, eve, arguments=asked)
    carry_out(completion.ledger)
    answer = answer_to(completion.ledger, command)
    assert answer is not None
    return answer


def next_job(completion: Completion) -> JobRow | None:
    with completion.ledger.reading() as connection:
        return next_queued(connection, completion.clock.now)


def reason(completion: Completion, paths: list[Path]) -> str:
    history = history_of(completion.ledger, series_uid(paths))
    assert history is not None
    return history.reason


def has_results(completion: Completion, paths: list[Path]) -> str:
    """The job has run, and its results wait for the peer; its id."""
    [job] = completion.jobs(paths)
    finish(completion, job)
    [job] = completion.jobs(paths)
    assert job.destinations == (Destination("tps", ADDRESS, 104, "TPS"),)
    files = {"tps": [("rs.dcm", "1.2.3.4", "")]}
    with completion.ledger.writing() as connection:
        queue_deliveries(connection, job, files, completion.clock.now, held={})
    return job.job_id


def due(completion: Completion) -> list[str]:
    with completion.ledger.reading() as connection:
        return [job_id for job_id, _ in due_jobs(connection, completion.clock.now)]


def test_no_job_of_a_paused_pipeline_begins_until_it_is_resumed(queued: Completion) -> None:
    answer = person(queued, PAUSE, PIPELINE, "blur")
    assert answer.words == (
        "pipeline blur is paused: what runs of it ends, no other job of it begins; "
        "jobs that wait for it: 1"
    )
    assert next_job(queued) is None
    answer = person(queued, RESUME, PIPELINE, "blur")
    assert answer.words == "pipeline blur is resumed; jobs that wait for it: 1"
    assert next_job(queued) is not None


def test_what_was_asked_while_the_node_was_down_is_carried_out_in_that_order(
    queued: Completion,
) -> None:
    """PostgreSQL reads rows that were updated behind the others of their index."""
    target, asked = pause_target(queued.configuration, queued.ledger, PIPELINE, "blur")
    pausing, resuming = (
        ask(queued.ledger, verb, target, arguments=asked) for verb in (PAUSE, RESUME)
    )
    for done_at in (1.0, None):
        with queued.ledger.writing() as connection:
            first = commands.c.id == pausing
            connection.execute(commands.update().where(first).values(done_at=done_at))
    carry_out(queued.ledger)
    answers = [answer_to(queued.ledger, command) for command in (pausing, resuming)]
    assert not any(answer is None or answer.is_refused for answer in answers)
    assert next_job(queued) is not None


def test_other_pipelines_go_on(queued: Completion) -> None:
    person(queued, PAUSE, PIPELINE, "unet")
    assert next_job(queued) is not None


def test_a_job_says_that_it_waits_because_of_the_pause_and_whose(
    queued: Completion, ct_paths: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    person(queued, PAUSE, PIPELINE, "3dblur")
    words = "pipeline blur is paused since 1970-01-1"
    assert reason(queued, ct_paths).startswith(words)
    assert reason(queued, ct_paths).endswith(" by eve from 192.0.2.9")
    assert f"Why: {words}" in told(capsys, queued, "show", series_uid(ct_paths))
    person(queued, RESUME, PIPELINE, "blur")
    assert "paused" not in reason(queued, ct_paths)


def test_nothing_is_sent_to_a_paused_peer_and_its_deliveries_say_so(
    queued: Completion, ct_paths: list[Path]
) -> None:
    job_id = has_results(queued, ct_paths)
    assert due(queued) == [job_id]
    answer = person(queued, PAUSE, PEER, "tps")
    assert answer.words.endswith("instances that wait for it: 1")
    assert due(queued) == []
    assert reason(queued, ct_paths).startswith("tps: 1 to send (peer tps is paused since 1970-")
    person(queued, RESUME, PEER, "tps")
    assert due(queued) == [job_id]


def test_the_time_of_a_pause_gives_nothing_up(queued: Completion, ct_paths: list[Path]) -> None:
    has_results(queued, ct_paths)
    person(queued, PAUSE, PEER, "tps")
    with queued.ledger.writing() as connection:
        connection.execute(deliveries.update().values(attempts=5, failures=2))
    queued.clock.now += 30 * 86_400.0
    person(queued, RESUME, PEER, "tps")
    with queued.ledger.reading() as connection:
        [row] = connection.execute(deliveries.select()).all()
    assert (row.created_at, row.next_attempt_at) == (queued.clock.now, queued.clock.now)
    assert (row.attempts, row.failures) == (0, 0)


def test_a_paused_peer_is_not_asked_for_proof(queued: Completion, ct_paths: list[Path]) -> None:
    job_id = has_results(queued, ct_paths)
    with queued.ledger.writing() as connection:
        queue_proof(connection, job_id, "tps", queued.clock.now)

    def asked() -> int:
        with queued.ledger.reading() as connection:
            return len(due_proofs(connection, queued.clock.now))

    assert asked() == 1
    person(queued, PAUSE, PEER, "tps")
    assert asked() == 0
    person(queued, RESUME, PEER, "tps")
    assert asked() == 1


def test_pauses_are_remembered_and_in_the_status_and_the_log_has_who(queued: Completion) -> None:
    person(queued, PAUSE, PEER, "tps")
    again = open_ledger(
        queued.ledger.storage_path,
        NodeClock(),
        database_url=database_url_for(queued.ledger.storage_path),
    )
    with again.reading() as connection:
        [pause] = all_pauses(connection)
        [(_, kind, words)] = events_of(connection, "")
    assert (pause.what, pause.name, pause.person) == (PEER, "tps", "eve")
    assert (kind, words[:19]) == ("person: pause", "peer tps is paused:")
    assert words.endswith(", by eve from 192.0.2.9")
    lines = status_lines(again, queued.configuration)
    assert f"paused: {pause.words}" in lines
    again.close()


@pytest.mark.parametrize(
    ("verbs", "words"),
    [
        ((PAUSE, PAUSE), "by eve from 192.0.2.9 already"),
        ((RESUME,), "pipeline blur is not paused"),
    ],
)
def test_what_is_paused_already_or_not_at_all_is_refused_with_words(
    queued: Completion, verbs: tuple[str, ...], words: str
) -> None:
    answers = [person(queued, verb, PIPELINE, "blur") for verb in verbs]
    assert answers[-1].is_refused
    assert answers[-1].words.endswith(words)


def test_an_unknown_name_is_refused_with_those_that_there_are(queued: Completion) -> None:
    with pytest.raises(RequestedJobError, match="peer: expected one of tps"):
        pause_target(queued.configuration, queued.ledger, PEER, "pacs")


def test_what_is_paused_and_configured_no_more_can_be_resumed(
    queued: Completion,
) -> None:
    person(queued, PAUSE, PEER, "tps")
    without = queued.configuration.model_copy(update={"peers": ()})
    assert pause_target(without, queued.ledger, PEER, "tps") == ("tps", {"what": "peer"})


def test_the_command_pauses_while_the_node_does_not_run_for_when_it_does(
    queued: Completion, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.ledger.__main__._ANSWER_WITHIN_S", 0.0)
    out = told(capsys, queued, "pause", "pipeline", "blur", code=1)
    assert out == "The node has not answered yet; it will when it runs\n"
    carry_out(queued.ledger)
    assert next_job(queued) is None
    out = told(capsys, queued, "resume", "peer", "tsp", code=1)
    assert out.startswith("peer: expected one of ")
