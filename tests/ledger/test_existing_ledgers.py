"""Commands that look at a ledger, or ask the node, leave it as it is."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

import scp_server
from node.ledger.__main__ import main
from node.ledger.database import newest_schema
from node.ledger.dialects import READING, begin, make_engine
from tests.support.databases import database_url_for, empty_database_url_for, open_test_ledger

UID = "1.2.3"
PORTS = ("--scp_port", "0", "--web_port", "0")  # whatever else runs on this machine
VERBS = (
    ["list"],
    ["status"],
    ["retention"],
    ["show", UID],
    ["receipt", UID],
    ["release", UID],
    ["cancel", UID],
)


def configured(folder: Path, url: str | None) -> list[str]:
    """A configuration file of the storage folder and its database, as flags."""
    keys = {"storage_path": str(folder), "web_port": 0, "scp_port": 0}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(keys if url is None else keys | {"database_url": url}))
    return ["--config", str(config)]


def with_schema(folder: Path, schema: str) -> list[str]:
    ledger = open_test_ledger(folder)
    with ledger.writing() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{schema}'"))
    ledger.close()
    return configured(folder, database_url_for(folder))


def schema_of(folder: Path) -> str | None:
    engine = make_engine(database_url_for(folder) or f"sqlite:///{folder}/ledger.sqlite")
    with engine.connect() as connection, begin(connection, READING):
        return MigrationContext.configure(connection).get_current_revision()


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
def test_an_earlier_ledger_is_one_sentence_and_not_migrated(
    verb: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = with_schema(tmp_path, "0009")
    assert main([*flags, *verb]) == 2
    said = capsys.readouterr()
    assert said.err == (
        "The ledger has schema 0009 of an earlier version of Slicewire; the next start of the "
        f"node makes it schema {newest_schema()}: nothing was changed\n"
    )
    assert said.out == ""
    assert schema_of(tmp_path) == "0009"


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
def test_a_later_ledger_is_one_sentence(
    verb: Sequence[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*with_schema(tmp_path, "9999"), *verb]) == 2
    said = capsys.readouterr().err
    assert "schema 9999 of a later version of Slicewire" in said
    assert said.count("\n") == 1


def test_a_node_does_not_start_on_a_later_ledger_and_says_so_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scp_server.main(with_schema(tmp_path, "9999")) == 2
    said = capsys.readouterr()
    assert "schema 9999 of a later version of Slicewire" in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_check_of_a_later_ledger_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scp_server.main([*with_schema(tmp_path, "9999"), *PORTS, "--check"]) == 2
    [line] = [one for one in capsys.readouterr().out.splitlines() if "WRONG" in one]
    assert line.startswith("WRONG  ledger: The ledger has schema 9999 of a later version")


def test_check_says_that_an_earlier_ledger_will_be_migrated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = with_schema(tmp_path, "0009")
    scp_server.main([*flags, "--check"])
    [line] = [one for one in capsys.readouterr().out.splitlines() if " ledger: " in one]
    assert line.startswith("ok ")
    assert line.endswith(f"the next start of the node makes it schema {newest_schema()}")
    assert schema_of(tmp_path) == "0009"


def test_where_no_node_was_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = configured(tmp_path, empty_database_url_for(tmp_path))
    assert main([*flags, "list"]) == 2
    said = capsys.readouterr().err
    assert "no ledger" in said or "The ledger has no tables yet" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]
