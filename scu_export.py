"""Send DICOM files and folders to a peer: C-ECHO, then C-STORE on one association.

The exit code is 0 if all instances were stored, 1 if not, and 2 for a wrong command line.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.command_line import ArgumentParser, ae_title, port, seconds
from core.console import plain_console
from core.errors import ConfigurationError, SendError
from core.log import quieten_libraries
from core.private_files import keep_files_private
from network.scu.c_store import PeerAddress, SendOutcome, Timeouts, echo, send
from network.scu.gathering import Gathered, gather
from network.scu.tls_options import add_tls_arguments, client_tls
from network.statuses import State

_CONNECT_S, _ASSOCIATE_S = 10.0, 30.0


def main(argv: Sequence[str] | None = None, *, prog: str = "scu_export") -> int:
    """Run the command, called `prog` in its --help; returns the exit code."""
    keep_files_private()
    quieten_libraries()
    out = plain_console()
    try:
        values = _parser(prog).parse_args(argv)
        paths = _existing(values.paths)
        if values.echo and paths:
            raise ConfigurationError("--echo: sends nothing, expected no PATH beside it")
        tls = client_tls(values, values.scu_ip)
    except ConfigurationError as error:
        plain_console(stderr=True).print(str(error))
        return 2
    peer = PeerAddress(values.scu_ip, values.scu_port, values.scu_ae, tls)
    timeouts = _timeouts(values.timeout)
    try:
        echo(peer, values.ae_title, timeouts=timeouts)
    except SendError as error:
        out.print(f"FAILED C-ECHO: {error}")
        return 1
    if not paths:
        out.print(f"{peer} answered C-ECHO")
        return 0
    return _export(out, peer, values.ae_title, gather(paths), timeouts=timeouts)


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog=prog,
        description="Send DICOM files and folders to a peer. Without PATH: C-ECHO only.",
    )
    parser.add_argument("--scu_ip", default="127.0.0.1", help="address of the peer")
    parser.add_argument("--scu_port", type=port, default=11112, help="port of the peer")
    parser.add_argument("--scu_ae", type=ae_title, default="ANY-SCP", help="AE title of the peer")
    parser.add_argument("--ae_title", type=ae_title, default="SLICEWIRE", help="our AE title")
    parser.add_argument("--echo", action="store_true", help="C-ECHO only")
    parser.add_argument(
        "--timeout", type=seconds, default=120.0, help="seconds to wait for each answer"
    )
    add_tls_arguments(parser)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="DICOM file or folder")
    return parser


def _existing(texts: Sequence[str]) -> list[Path]:
    for text in texts:
        if not Path(text).exists():
            raise ConfigurationError(f"PATH: expected a file or folder, found nothing at {text!r}")
    return [Path(text) for text in texts]


def _timeouts(timeout_s: float) -> Timeouts:
    return Timeouts(min(timeout_s, _CONNECT_S), min(timeout_s, _ASSOCIATE_S), timeout_s)


def _export(
    out: Console, peer: PeerAddress, calling: str, gathered: Gathered, *, timeouts: Timeouts
) -> int:
    for path, words in gathered.skipped:
        out.print(f"skipped {path}: {words}")
    for path, words in gathered.failed:
        out.print(f"FAILED {path}: {words}")
    begun = time.monotonic()
    with _progress(out) as progress:
        task = progress.add_task("sending", total=len(gathered.instances))

        def show(outcome: SendOutcome) -> None:
            progress.advance(task)
            if outcome.state is not State.STORED:
                out.print(_line(outcome))

        outcomes = send(gathered.instances, peer, calling, on_outcome=show, timeouts=timeouts)
    out.print(_summary(peer, gathered, outcomes, time.monotonic() - begun))
    stored = sum(outcome.is_stored for outcome in outcomes)
    return 0 if stored == len(outcomes) > 0 and not gathered.failed else 1


def _progress(out: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns, TimeRemainingColumn(), console=out, transient=True, disable=not out.is_terminal
    )


def _line(outcome: SendOutcome) -> str:
    verdict = "warned" if outcome.is_stored else "FAILED"
    return f"{verdict} {outcome.instance.path}: {outcome.words}"


def _summary(
    peer: PeerAddress, gathered: Gathered, outcomes: Sequence[SendOutcome], took_s: float
) -> str:
    stored = sum(outcome.is_stored for outcome in outcomes)
    wanted = len(outcomes) + len(gathered.failed)
    transcoded = sum(bool(outcome.transcoded_to) for outcome in outcomes)
    words = f"{stored} of {wanted} instances stored at {peer} in {took_s:.1f} s"
    if transcoded:
        words += f", {transcoded} of them transcoded without loss"
    if gathered.skipped:
        words += f", {len(gathered.skipped)} files skipped"
    return words


if __name__ == "__main__":
    sys.exit(main())
