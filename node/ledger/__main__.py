"""Show what the node knows, and ask it to act on cases, pipelines and peers: `slicewire ledger`.

Exit code: 0 shown or done, 1 the series is unknown, the node refuses or does not answer, 2 wrong
command line.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from core.command_line import ArgumentParser
from core.config.file import found_config, read_configuration
from core.config.settings import Configuration
from core.console import plain_console
from core.errors import ConfigurationError, RequestedJobError, StorageUnavailableError
from core.log import quieten_libraries
from core.plain_text import columns, stamp, without_long_uids
from core.private_files import keep_files_private
from node.commands import answer_to, ask, has_begun
from node.completion.running import NOBODY, run_arguments
from node.ledger.database import Ledger
from node.ledger.existing import open_existing_ledger
from node.ledger.tables.pauses import Pausable
from node.ledger.views.receipts import receipt_of
from node.ledger.views.request_words import request_lines
from node.ledger.views.series_history import SeriesHistory, history_of, latest_histories
from node.ledger.views.status import status_lines
from node.pausing import PAUSE, RESUME, pause_target
from node.rebuilding.rebuild import rebuild
from node.retention import Retention
from node.verbs import CANCEL, ON_NO_CASE, RELEASE, RESEND, RETRY, RUN, TAKES

_ANSWER_WITHIN_S = 10.0
_OUTCOME_WITHIN_S = 120.0  # a release is answered after the series was judged again
_LATEST = 50
_CASE = "number of the case, SeriesInstanceUID, or its end"


def main(argv: Sequence[str] | None = None, *, prog: str = "python -m node.ledger") -> int:
    """Run the command and return its exit code; its --help calls it `prog`."""
    keep_files_private()
    out = plain_console()
    try:
        values = _parser(prog).parse_args(argv)
        configuration = _configuration(values)
        if values.verb == "rebuild":
            return _rebuild(out, configuration)
        ledger = open_existing_ledger(
            configuration.storage_path, database_url=configuration.plain_database_url
        )
    except (ConfigurationError, StorageUnavailableError) as error:
        plain_console(stderr=True).print(str(error))
        return 2
    try:
        if values.verb == "list":
            return _list(out, ledger, values)
        if values.verb == "status":
            return _print(out, status_lines(ledger, configuration))
        if values.verb == "retention":
            return _print(out, _retention_lines(configuration, ledger))
        return _about_one(out, ledger, configuration, values)
    finally:
        ledger.close()


def _about_one(
    out: Console, ledger: Ledger, configuration: Configuration, values: argparse.Namespace
) -> int:
    """Run a verb that names a case, a pipeline or a peer."""
    if values.verb in ON_NO_CASE:
        return _pause(out, ledger, configuration, values)
    history = history_of(ledger, values.series)
    if history is None:
        out.print(f"Series {values.series}: not in this ledger")
        return 1
    if values.verb == "show":
        return _show(out, history)
    if values.verb == "receipt":
        return _receipt(out, ledger, history, as_json=values.json)
    arguments: Mapping[str, Any] = {}
    if values.verb == RUN:
        try:
            arguments = run_arguments(configuration, values.pipeline, values.to)
        except RequestedJobError as error:
            out.print(f"Series {history.series_instance_uid}: {error}")
            return 1
    verb = TAKES.get(getattr(values, "take", None) or "", values.verb)
    return _ask(out, ledger, verb, history.series_instance_uid, arguments=arguments)


def _pause(
    out: Console, ledger: Ledger, configuration: Configuration, values: argparse.Namespace
) -> int:
    """Ask to pause or resume a pipeline or a peer."""
    try:
        target, asked = pause_target(configuration, ledger, Pausable(values.what), values.name)
    except RequestedJobError as error:
        out.print(str(error))
        return 1
    return _ask(out, ledger, values.verb, target, arguments=asked)


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(prog=prog, description=__doc__)
    _add_node(parser)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_verbs(verbs)
    for one in verbs.choices.values():
        _add_node(one)
    return parser


def _add_node(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the node, allowed before and after the verb."""
    here = argparse.SUPPRESS
    parser.add_argument(
        "--config", type=Path, default=here, help="configuration file (default: config.yaml)"
    )
    for name in ("storage_path", "database_url"):
        parser.add_argument(f"--{name}", default=here, help=f"{name} of the node")


def _add_verbs(verbs: "argparse._SubParsersAction[ArgumentParser]") -> None:
    one = verbs.add_parser("list", help=f"the latest {_LATEST} series, the latest last")
    one.add_argument("--all", action="store_true", help="every series")
    one.add_argument("--state", default="", help="only this state: held, failed, sending, ...")
    verbs.add_parser("status", help="what is wrong, what waits, what runs")
    verbs.add_parser("rebuild", help="make a lost ledger again from instances and results")
    verbs.add_parser("retention", help="what retention would remove now; removes nothing")
    one = verbs.add_parser("receipt", help="instances received, made, sent, stored and confirmed")
    one.add_argument("--json", action="store_true", help="for programs")
    one.add_argument("series", metavar="CASE", help=_CASE)
    for verb, text in (
        ("show", "everything that happened to a series"),
        (RUN, "run a pipeline on a case, whatever the rules say"),
        (RELEASE, "let a held series run as it is, where that can be right"),
        (RETRY, "run failed jobs, send undelivered results, judge a held series again"),
        (RESEND, "send all results once more, the same bytes"),
        (CANCEL, "cancel a series: no jobs, nothing more sent"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("series", metavar="CASE", help=_CASE)
        if verb == RUN:
            one.add_argument("pipeline", metavar="PIPELINE", help="of the configuration")
            words = (
                f"peer that gets the results, or {NOBODY}; may be repeated (default: the sender)"
            )
            one.add_argument("--to", action="append", default=[], metavar="PEER", help=words)
        if verb == RELEASE:
            words = "the content to use, where instances were received with different contents"
            one.add_argument("--take", choices=tuple(TAKES), help=words)
    for verb, text in (
        (PAUSE, "begin no more jobs of a pipeline, or send nothing more to a peer"),
        (RESUME, "run or send what waits because of a pause"),
    ):
        one = verbs.add_parser(verb, help=text)
        one.add_argument("what", choices=tuple(map(str, Pausable)), help="pipeline or peer")
        one.add_argument("name", metavar="NAME", help="its name in the configuration")


def _configuration(values: argparse.Namespace) -> Configuration:
    flags = {
        name: value
        for name, value in vars(values).items()
        if name in ("storage_path", "database_url")
    }
    return read_configuration(found_config(getattr(values, "config", None)), flags)


def _list(out: Console, ledger: Ledger, values: argparse.Namespace) -> int:
    rows = [("case", "last instance", "series", "from", "instances", "state", "why")]
    for history in latest_histories(ledger, None if values.all else _LATEST, values.state):
        rows.append(
            (
                str(history.number),
                stamp(history.last_at),
                history.series_instance_uid,
                history.sender,
                str(history.instances),
                history.state,
                without_long_uids(history.reason, history.series_instance_uid),
            )
        )
    return _print(out, columns(rows))


def _rebuild(out: Console, configuration: Configuration) -> int:
    quieten_libraries()  # they quote values of data sets
    done = rebuild(configuration)
    out.print(
        f"The ledger knows {done.instances} instances of {done.series} series again, and the "
        f"results of {done.jobs} jobs. Nothing runs or is sent by itself"
    )
    return 0


def _show(out: Console, history: SeriesHistory) -> int:
    out.print(f"Series {history.series_instance_uid}: {history.state}")
    out.print(f"Case {history.number}: {history.instances} instances from {history.sender}")
    if history.reason:
        out.print(f"Why: {history.reason}")
    for words in history.warnings:
        out.print(f"Warning: {words}")
    for line in request_lines(history.requests):
        out.print(line)
    for at, kind, words in history.events:
        out.print(f"{stamp(at)}  {kind}: {words}")
    for folder in history.result_folders:
        out.print(f"Results: {folder}")
    return 0


def _receipt(out: Console, ledger: Ledger, history: SeriesHistory, *, as_json: bool) -> int:
    receipt = receipt_of(ledger, history.series_instance_uid)
    if receipt is None:
        out.print(f"Series {history.series_instance_uid}: no results yet, {history.state}")
        return 1
    return _print(out, [receipt.as_json()] if as_json else receipt.lines())


def _retention_lines(configuration: Configuration, ledger: Ledger) -> list[str]:
    settings, retention = configuration.retention, Retention(configuration, ledger)
    if settings.results_days is None and settings.sources_days is None:
        return ["retention.results_days and retention.sources_days are not given: nothing goes"]
    found = retention.preview()
    lines = [f"Series {one.series_instance_uid}: {retention.explain(one)}" for one in found]
    goes = sum(not one.why_it_stays for one in found)
    return [*lines, f"{len(found)} are older than configured; {goes} go, {len(found) - goes} stay"]


def _print(out: Console, lines: Sequence[str]) -> int:
    for line in lines:
        out.print(line)
    return 0


def _ask(
    out: Console,
    ledger: Ledger,
    verb: str,
    target: str,
    *,
    arguments: Mapping[str, Any],
) -> int:
    about = "" if verb in ON_NO_CASE else f"Series {target}: "
    command = ask(ledger, verb, target, arguments=arguments)
    begin = time.monotonic()
    while (waited_s := time.monotonic() - begin) < _OUTCOME_WITHIN_S:
        if waited_s > _ANSWER_WITHIN_S and not has_begun(ledger, command):
            break
        answer = answer_to(ledger, command)
        if answer is not None:
            out.print(f"{about}{answer.words}")
            return int(answer.is_refused)
        time.sleep(0.1)
    words = "is still at it" if has_begun(ledger, command) else "will when it runs"
    out.print(f"The node has not answered yet; it {words}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
