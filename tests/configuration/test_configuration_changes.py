"""A changed file is compared key by key: what applies at once, and what only a restart does."""

import re
from typing import Any

import pytest

from core.config.changes import AT_A_START, Changes, changes_between
from core.config.settings import Configuration
from node import reload_command

TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
PACS = {"name": "pacs", "ae_title": "PACS", "ip": "192.0.2.2", "port": 104}
RUNNING = {"peers": [TPS], "rules": [{"pipeline": "blur"}], "completion": {"settle_s": 5}}


def changes(**keys: Any) -> Changes:
    running, file = Configuration.model_validate(RUNNING), RUNNING | keys
    return changes_between(running, Configuration.model_validate(file))


@pytest.mark.parametrize(
    ("keys", "at_once"),
    [
        ({"peers": [TPS | {"port": 105}]}, ("peers.tps",)),
        ({"peers": [TPS, PACS]}, ("peers.pacs (new)",)),
        ({"peers": []}, ("peers.tps (gone)",)),
        ({"rules": [{"pipeline": "unet"}]}, ("rules",)),
        ({"pipelines": {"blur": {"sigma_mm": 4}}}, ("pipelines.blur",)),
        ({"pipelines": {"wide": {"kind": "blur"}}}, ("pipelines.wide (new)",)),
        ({"completion": {"settle_s": 9}}, ("completion.settle_s",)),
        ({"delivery": {"first_retry_s": 1}}, ("delivery.first_retry_s",)),
        ({"retention": {"results_days": 3}}, ("retention.results_days",)),
        ({"scu_ip": "192.0.2.9", "scu_port": 104}, ("scu_ip", "scu_port")),
        ({"export_series": False}, ("export_series",)),
    ],
)
def test_keys_that_apply_at_once_are_taken_and_named(
    keys: dict[str, Any], at_once: tuple[str, ...]
) -> None:
    found = changes(**keys)
    assert found.at_once == at_once
    assert found.at_a_restart == ()
    assert found.configuration == Configuration.model_validate(RUNNING | keys)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"scp_port": 104}, "scp_port"),
        ({"storage_path": "/elsewhere"}, "storage_path"),
        ({"database_url": "postgresql://a:b@c/d"}, "database_url"),
        ({"root_uid": "1.2.3."}, "root_uid"),
        ({"web_port": 0}, "web_port"),
        ({"engine": {"workers": 2}}, "engine.workers"),
        ({"wire": {"maximum_associations": 2}}, "wire.maximum_associations"),
        ({"web": {"session_h": 1}}, "web.session_h"),
        ({"log": {"level": "debug"}}, "log.level"),
    ],
)
def test_what_needs_a_restart_is_named_and_left_as_it_is(keys: dict[str, Any], named: str) -> None:
    found = changes(**keys, peers=[PACS])
    assert found.at_a_restart == (named,)
    assert found.configuration == Configuration.model_validate(RUNNING | {"peers": [PACS]})
    assert f"needs a restart: {named}" in found.words


def test_another_order_of_peers_is_a_change_too() -> None:
    running = Configuration.model_validate({"peers": [TPS, PACS]})
    file = Configuration.model_validate({"peers": [PACS, TPS]})
    assert changes_between(running, file).at_once == ("peers",)


def test_an_equal_file_changes_nothing() -> None:
    assert changes().words == "nothing differs from the file"


def test_help_names_every_key_that_a_reload_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reload_command.main(["--help"])
    said = set(re.findall(r"\w+", capsys.readouterr().out))
    assert set(AT_A_START) <= said
