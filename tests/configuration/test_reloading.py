"""A reload: the file is checked first, all parts follow it, and a wrong one changes nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

import scp_server
from core.config.file import ConfigurationFile, read_configuration
from core.config.settings import Configuration
from core.errors import StorageUnavailableError
from network.access import AssociationRequest
from network.sender import Sender
from node.answers import Answer, Asker
from node.commands import RELOAD, answer_to, ask
from node.completion.routing import Router
from node.completion.series_completion import SeriesCompletion
from node.ledger.database import Ledger
from node.ledger.schema import events
from node.reloading import Reloading
from node.scp.instance_store import InstanceStore
from node.scp.service import Listener
from tests.support.databases import open_test_ledger

TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}


Found = TypeVar("Found")


def some(found: Found | None) -> Found:
    assert found is not None
    return found


class Follower:
    """A part that notes what it is to follow."""

    def __init__(self) -> None:
        self.followed: list[Configuration] = []

    def follow(self, configuration: Configuration) -> None:
        self.followed.append(configuration)


class Desk:
    """A node's reloads, with a file that the test writes."""

    def __init__(self, folder: Path) -> None:
        self.path, self.follower = folder / "config.yaml", Follower()
        self.write(rules=[{"pipeline": "blur"}])
        file = ConfigurationFile(self.path, {"storage_path": folder})
        self.running, self.ledger = file.read(), open_test_ledger(folder)
        read = scp_server.reader_of_changes(file)
        self.reloading = Reloading(self.running, self.ledger, read)
        self.reloading.add(self.follower)

    def write(self, **keys: Any) -> None:
        self.path.write_text(repr(keys))  # YAML reads it, too

    def reload(self, asker: Asker | None = None) -> Answer:
        command = ask(self.ledger, RELOAD, "SIGHUP", asker or Asker())
        assert self.reloading.answer_next()
        return some(answer_to(self.ledger, command))

    def latest_event(self) -> tuple[str, str]:
        with self.ledger.reading() as connection:
            row = connection.execute(select(events).order_by(events.c.id.desc())).first()
        return some(row).kind, some(row).words


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.ledger.close()


def test_a_changed_file_is_followed_and_told(desk: Desk) -> None:
    desk.write(rules=[{"pipeline": "unet"}], peers=[TPS], scp_port=104)
    answer = desk.reload()
    assert answer.words == (
        "taken: peers.tps (new), rules; left as it is, needs a restart: scp_port"
    )
    assert not answer.is_refused
    [followed] = desk.follower.followed
    assert [peer.name for peer in followed.peers] == ["tps"]
    assert followed.scp_port == 11112
    assert desk.latest_event() == ("configuration", f"{answer.words}, by SIGHUP")
    assert desk.reload().words == "nothing to take; left as it is, needs a restart: scp_port"


def test_a_reload_of_a_person_bears_the_name(desk: Desk) -> None:
    answer = desk.reload(Asker("anna", "192.0.2.7"))
    told = f"{answer.words}, by anna from 192.0.2.7"
    assert desk.latest_event() == ("person: reload", told)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"ruls": []}, "unknown key ruls, did you mean rules?"),
        ({"rules": [{"pipeline": "vnet"}]}, "rules.0.pipeline: 'vnet', expected one of blur, unet"),
        ({"rules": [{"pipeline": "blur", "tags": {"Modalty": "CT"}}]}, "'Modalty', expected a DIC"),
        ({"peers": [TPS, TPS | {"name": "other"}]}, "tps"),
        ({"peers": [TPS | {"tls": {"ca_path": "no.pem"}}]}, "no.pem: cannot be read"),
        ({"completion": {"settle_s": -1}}, "completion.settle_s is -1"),
        ({"wire": {"plain": "closed"}}, "wire"),
    ],
)
def test_a_wrong_file_changes_nothing_and_says_why(
    desk: Desk, keys: dict[str, Any], why: str
) -> None:
    desk.write(**({"rules": []} | keys))
    answer = desk.reload()
    assert answer.is_refused
    assert answer.words.startswith("nothing was changed: ")
    assert why in answer.words
    assert desk.follower.followed == []
    assert desk.reloading.configuration == desk.running


def test_a_file_that_is_gone_or_no_yaml_changes_nothing(desk: Desk) -> None:
    desk.path.write_text("rules: [")
    assert "is not YAML" in desk.reload().words
    desk.path.unlink()
    assert "cannot be read" in desk.reload().words
    assert desk.follower.followed == []


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_changes_nothing(desk: Desk) -> None:
    desk.write(pipelines={"lung": {"kind": "unet", "checkpoint_path": "no.ckpt"}})
    answer = desk.reload()
    assert answer.is_refused
    assert "no.ckpt: checkpoint cannot be read" in answer.words


def test_what_was_odd_before_is_no_reason_against_another_change(desk: Desk) -> None:
    twins = [TPS, TPS | {"name": "other"}]
    desk.reloading.configuration = Configuration.model_validate(
        {"storage_path": desk.running.storage_path, "peers": twins}
    )
    desk.write(peers=twins, rules=[{"pipeline": "unet"}])
    assert desk.reload().words == "taken: rules"


def test_a_ledger_that_fails_leaves_everything_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailableError("disk full")

    desk.write(rules=[])
    ask(desk.ledger, RELOAD, "SIGHUP")
    with monkeypatch.context() as patched:
        patched.setattr("node.reloading.shorten_waits", fail)
        with pytest.raises(StorageUnavailableError):
            desk.reloading.answer_next()
    assert desk.follower.followed[-1] == desk.reloading.configuration == desk.running
    assert desk.reloading.answer_next()
    assert desk.latest_event()[1].startswith("taken: rules")


def test_a_reload_asked_of_an_earlier_run_needs_no_other(desk: Desk) -> None:
    command = ask(desk.ledger, RELOAD, "SIGHUP")
    later = Reloading(desk.running, desk.ledger, lambda running: running)
    assert later.answer_next()
    assert "started since" in some(answer_to(desk.ledger, command)).words
    assert desk.follower.followed == []


def test_rules_and_peers_apply_to_the_next_series_and_association(
    tmp_path: Path, desk: Desk
) -> None:
    ledger: Ledger = desk.ledger
    before = Configuration.model_validate({"storage_path": tmp_path})
    after = read_configuration(None, {"storage_path": tmp_path, "peers": [TPS]})
    store = InstanceStore(tmp_path, ledger, root_uid=before.root_uid, minimum_free_mb=0)
    listener = Listener(before, ledger, store, on_end=lambda *_: None)
    completion = SeriesCompletion(
        before, ledger, Router(before, ("127.0.0.1", 1)), geometry_rules={}
    )
    sender = Sender("TPS", "SLICEWIRE", "192.0.2.1")
    request = AssociationRequest(sender, ["1.2.840.10008.1.1"])
    assert (
        some(listener.rejection_of(request)).words == "calling AE title 'TPS' is no configured peer"
    )
    for part in (listener, completion):
        part.follow(after)
    assert listener.rejection_of(request) is None
    completion.stop()
    store.stop(0)
