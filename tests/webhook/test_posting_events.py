"""Events reach a real HTTP server, signed, in spite of it, and never say who the patient is."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from core.config.settings import Configuration
from node.ledger.database import Ledger
from node.ledger.row_states import NoticeKind
from node.ledger.schema import notices
from node.ledger.tables.events import events_of
from node.ledger.tables.notices import queue_notice
from node.webhook import Webhook
from tests.support.databases import open_test_ledger

SECRET = "a sentence that nobody guesses"
HOUR_S = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it and answers with the next of `answers`, then with 200."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.posted: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events"

    def bodies(self) -> list[dict[str, str]]:
        return [json.loads(body) for _, body in self.posted]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    ledger = open_test_ledger(tmp_path, clock)
    yield ledger
    ledger.close()


def webhook(ledger: Ledger, url: str | None, **keys: Any) -> Webhook:
    settings = None if url is None else {"url": url, "secret": SECRET, "timeout_s": 2} | keys
    configuration = {"storage_path": ledger.storage_path, "webhook": settings}
    return Webhook(Configuration.model_validate(configuration), ledger)


def queue(
    ledger: Ledger, kind: NoticeKind = NoticeKind.COMPLETED, words: str = "8 instances"
) -> None:
    with ledger.writing() as connection:
        queue_notice(
            connection,
            kind,
            now=ledger.clock(),
            series_instance_uid="1.2.3",
            job_id="ab12",
            words=words,
        )


def rows(ledger: Ledger) -> list[tuple[str, str, int]]:
    with ledger.reading() as connection:
        query = select(notices.c.state, notices.c.words, notices.c.attempts).order_by(notices.c.id)
        return [tuple(row) for row in connection.execute(query)]


def drain(hook: Webhook) -> int:
    count = 0
    while hook.post_next():
        count += 1
    return count


def test_events_arrive_in_order_with_everything_that_a_receiver_needs(
    ledger: Ledger, receiver: Receiver
) -> None:
    queue(ledger, NoticeKind.HELD, "gap of 6.0 mm")
    queue(ledger, NoticeKind.COMPLETED)
    assert drain(webhook(ledger, receiver.url)) == 2
    first, second = receiver.bodies()
    assert first | {"id": ""} == {
        "id": "",
        "kind": "held",
        "at": "1970-01-12T13:46:40.000+00:00",
        "series_instance_uid": "1.2.3",
        "job_id": "ab12",
        "words": "gap of 6.0 mm",
        "node": "SLICEWIRE",
    }
    assert second["kind"] == "completed"
    assert len(first["id"]) == 32
    assert first["id"] != second["id"]
    assert rows(ledger) == [("sent", "answered 200", 1)] * 2


def test_the_signature_verifies_as_documented_and_fails_for_any_other_body(
    ledger: Ledger, receiver: Receiver
) -> None:
    queue(ledger)
    drain(webhook(ledger, receiver.url))
    [(headers, body)] = receiver.posted
    timestamp = headers["X-Slicewire-Timestamp"]
    assert timestamp == "1000000"
    signed = timestamp.encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(headers["X-Slicewire-Signature"], f"v1={expected}")
    changed = hmac.new(SECRET.encode(), signed + b" ", hashlib.sha256).hexdigest()
    assert headers["X-Slicewire-Signature"] != f"v1={changed}"


def test_a_receiver_that_was_down_gets_it_later_with_the_same_id(
    ledger: Ledger, clock: Clock
) -> None:
    down = Receiver()
    down.close()
    queue(ledger)
    hook = webhook(ledger, down.url)
    assert drain(hook) == 1
    [(state, words, attempts)] = rows(ledger)
    assert (state, attempts) == ("waiting", 1)
    assert "cannot be reached" in words
    assert drain(hook) == 0  # not before its pause is over
    up = Receiver(down.server_port)
    up.answers = [500]
    clock.now += 15
    assert drain(hook) == 1
    clock.now += 30
    assert drain(webhook(ledger, up.url)) == 1  # as after a restart
    up.close()
    ids = {body["id"] for body in up.bodies()}
    assert (len(up.posted), len(ids)) == (2, 1)
    assert rows(ledger) == [("sent", "answered 200", 3)]


def test_pauses_grow_up_to_an_hour_and_end_after_the_configured_time(
    ledger: Ledger, clock: Clock, receiver: Receiver
) -> None:
    receiver.answers = [503] * 100
    queue(ledger, NoticeKind.DEAD_LETTER)
    hook = webhook(ledger, receiver.url, give_up_after_h=5)
    posted_at = []
    for _ in range(7 * 60):
        posted_at += [clock.now] * drain(hook)
        clock.now += 60
    assert rows(ledger)[0][0] == "given up"
    pauses = [later - earlier for earlier, later in pairwise(posted_at)]
    assert len(posted_at) < 20
    assert max(pauses) <= 1.2 * HOUR_S + 60
    assert 5 * HOUR_S < posted_at[-1] - posted_at[0] < 7 * HOUR_S
    with ledger.reading() as connection:
        [(_, kind, words)] = events_of(connection, "1.2.3")
    assert (kind, words) == ("webhook", "webhook: dead letter could not be told, answered 503")


def test_gone_is_final(ledger: Ledger, receiver: Receiver) -> None:
    receiver.answers = [410]
    queue(ledger)
    drain(webhook(ledger, receiver.url))
    assert rows(ledger) == [("given up", "answered 410", 1)]


def test_a_redirect_is_not_followed(ledger: Ledger, receiver: Receiver) -> None:
    receiver.answers = [307]
    queue(ledger)
    assert drain(webhook(ledger, receiver.url)) == 1
    assert len(receiver.posted) == 1
    assert rows(ledger) == [("waiting", "answered 307", 1)]


def test_without_a_webhook_nothing_piles_up(ledger: Ledger) -> None:
    queue(ledger)
    assert drain(webhook(ledger, None)) == 0
    assert rows(ledger) == []


def test_what_was_sent_is_forgotten_after_a_month(
    ledger: Ledger, clock: Clock, receiver: Receiver
) -> None:
    queue(ledger)
    hook = webhook(ledger, receiver.url)
    drain(hook)
    clock.now += 31 * 24 * HOUR_S
    queue(ledger)
    drain(hook)
    assert len(rows(ledger)) == 1


def test_the_secret_and_the_address_are_in_no_words(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    queue(ledger)
    hook = webhook(ledger, "http://127.0.0.1:1/token-in-path")
    drain(hook)
    told = f"{rows(ledger)}{caplog.text}{capsys.readouterr()}"
    assert "cannot be reached" in told
    assert SECRET not in told
    assert "token-in-path" not in told
