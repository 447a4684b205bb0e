"""`python -m node.ledger`: what the node knows, in tables, and what a person asks of it.

The exit code is 0 when it is shown or done, 1 when the node does not know it or does not answer,
2 for a wrong command line.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.arguments import ArgumentParser
from core.config_file import found_config, read_configuration
from core.errors import ConfigurationError, StorageUnavailableError
from node.commands import CANCEL, RELEASE, RESEND, RETRY, answer_of, ask
from node.ledger.database import LEDGER_FILE, Ledger, open_ledger
from node.ledger.stories import Story, latest_stories, story_of

_ANSWER_WITHIN_S = 10.0
_LATEST = 50
_TABLE_WIDTH = 400  # UIDs are whole, so that they can be copied; a terminal wraps by itself


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    out = Console(highlight=False, markup=False, soft_wrap=True, width=_TABLE_WIDTH)
    try:
        values = _parser().parse_args(argv)
        ledger = _existing_ledger(values)
    except (ConfigurationError, StorageUnavailableError) as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(str(error))
        return 2
    try:
        if values.verb == "list":
            return _list(out, ledger, values)
        story = story_of(ledger, values.series)
        if story is None:
            out.print(f"Series {values.series}: not in this ledger")
            return 1
        if values.verb == "show":
            return _show(out, story)
        return _ask(out, ledger, values.verb, story.series_instance_uid)
    finally:
        ledger.close()


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m node.ledger", description=__doc__)
    parser.add_argument("--config", type=Path, help="the node's (default: config.yaml)")
    for name in ("storage_path", "database_url"):
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help="the node's")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    one = verbs.add_parser("list", help=f"the latest {_LATEST} series, the latest last")
    one.add_argument("--all", action="store_true", help="every series")
    one.add_argument("--state", default="", help="only those: held, failed, sending, ...")
    for verb, text in (
        ("show", "everything that happened to a series"),
        (RELEASE, "let a held series run as it is"),
        (RETRY, "run a failed job again, send again what was not delivered"),
        (RESEND, "send all results once more, the same bytes"),
        (CANCEL, "give a series up: no job, nothing more sent"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("series", metavar="SERIES", help="SeriesInstanceUID, or its end")
    return parser


def _existing_ledger(values: argparse.Namespace) -> Ledger:
    flags = {
        name: value
        for name, value in vars(values).items()
        if name in ("storage_path", "database_url")
    }
    configuration = read_configuration(found_config(values.config), flags)
    storage_path, database_url = configuration.storage_path, configuration.plain_database_url
    if database_url is None and not (storage_path / LEDGER_FILE).exists():
        raise ConfigurationError(f"--storage_path is {storage_path}, expected a node's: no ledger")
    return open_ledger(storage_path, database_url=database_url)


def _list(out: Console, ledger: Ledger, values: argparse.Namespace) -> int:
    table = Table(box=None)
    for name in ("last instance", "series", "from", "instances", "state", "why"):
        table.add_column(name, no_wrap=True)
    for story in latest_stories(ledger, None if values.all else _LATEST, values.state):
        table.add_row(
            _clock(story.last_at),
            story.series_instance_uid,
            story.sender,
            str(story.instances),
            story.state,
            story.reason,
        )
    out.print(table)
    return 0


def _show(out: Console, story: Story) -> int:
    out.print(f"Series {story.series_instance_uid}: {story.state}")
    out.print(f"{story.instances} instances from {story.sender}")
    if story.reason:
        out.print(f"Why: {story.reason}")
    for at, kind, words in story.events:
        out.print(f"{_clock(at)}  {kind}: {words}")
    for folder in story.result_folders:
        out.print(f"Results: {folder}")
    return 0


def _ask(out: Console, ledger: Ledger, verb: str, series_instance_uid: str) -> int:
    command = ask(ledger, verb, series_instance_uid)
    end = time.monotonic() + _ANSWER_WITHIN_S
    while time.monotonic() < end:
        answer = answer_of(ledger, command)
        if answer is not None:
            out.print(f"Series {series_instance_uid}: {answer}")
            return 0
        time.sleep(0.1)
    out.print("The node has not answered yet; it will when it runs")
    return 1


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


if __name__ == "__main__":
    sys.exit(main())
