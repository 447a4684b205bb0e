"""The page of the configuration: what is not the default, and what the file has otherwise."""

import os
from pathlib import Path
from typing import Any

import pytest

from core.config.file import ConfigurationFile
from core.config.settings import Configuration
from web.overview.configuration import HIDDEN, Row, configuration_rows
from web.overview.configuration_file import file_now
from web.server.handover import hand_over, take_over
from web.settings import WebSettings

TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}


def rows(running: dict[str, Any], file: dict[str, Any] | None = None) -> dict[str, Row]:
    read = None if file is None else Configuration.model_validate(file)
    sections = configuration_rows(Configuration.model_validate(running), read)
    return {f"{name}.{row.key}": row for name, found in sections.items() for row in found}


def test_nothing_of_an_empty_configuration_differs_from_the_default() -> None:
    assert [name for name, row in rows({}).items() if not row.is_default] == []


def test_only_what_differs_from_its_own_default_is_marked() -> None:
    found = rows(
        {
            "peers": [TPS | {"associations": 2}],
            "rules": [{"pipeline": "blur"}],
            "pipelines": {"blur": {"sigma_mm": 4}, "wide": {"kind": "blur"}},
        }
    )
    marked = {name for name, row in found.items() if not row.is_default}
    assert marked == {
        *(f"peers.tps.{key}" for key in ("name", "ae_title", "ip", "port", "associations")),
        "rules.1.pipeline",
        "pipelines.blur.sigma_mm",
    }


def test_only_what_really_differs_from_the_file_is_marked() -> None:
    running = {"peers": [TPS], "scp_port": 104, "webhook": {"url": "http://a/", "secret": "one"}}
    file = running | {"peers": [TPS | {"port": 105}], "scp_port": 105}
    differing = {name: row for name, row in rows(running, file).items() if row.in_file is not None}
    assert {name: row.in_file for name, row in differing.items()} == {
        "peers.tps.port": "105",
        "node.scp_port": "105",
    }
    assert differing["node.scp_port"].needs_restart
    assert not differing["peers.tps.port"].needs_restart


def test_another_secret_is_told_and_not_shown() -> None:
    url = {"url": "http://a/"}
    one, two = ({"webhook": url | {"secret": secret}} for secret in ("one", "two"))
    row = rows(one, two)["webhook.secret"]
    assert (row.value, row.in_file) == (HIDDEN, HIDDEN)
    assert rows(one, one)["webhook.secret"].in_file is None


def test_what_one_side_alone_has_is_a_row() -> None:
    new = rows({}, {"peers": [TPS]})["peers.tps.ip"]
    assert (new.value, new.in_file) == ("", "192.0.2.1")
    gone = rows({"peers": [TPS]}, {})
    assert gone["peers.tps.ip"].in_file == "not there any more"
    assert "node.peers" not in gone


def test_a_file_that_is_wrong_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("scp_port: 104\n")
    file = ConfigurationFile(path, {})
    settings = WebSettings(file.read(), file=file)
    now = file_now(settings)
    assert now is not None
    assert now.is_as_running
    path.write_text("scp_prt: 104\n")
    now = file_now(settings)
    assert now is not None
    assert now.configuration is None
    assert "unknown key scp_prt, did you mean scp_port?" in now.fault
    assert file_now(WebSettings(settings.configuration)) is None


@pytest.mark.parametrize("count", [1, 3])
def test_settings_are_handed_over_again_and_again(count: int) -> None:
    reader, writer = os.pipe()
    handed = [
        WebSettings(Configuration.model_validate({"scp_port": port}))
        for port in range(104, 104 + count)
    ]
    with os.fdopen(writer, "wb") as to:
        for one in handed:
            hand_over(one, to)
    assert [take_over(reader) for _ in handed] == handed
    assert take_over(reader) is None  # the starting process is gone
    os.close(reader)
