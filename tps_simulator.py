"""Simulate a planning system or PACS: send a series, receive the results, check them.

The exit code is 0 for a pass, 1 for a wrong result, 2 for a wrong command line, and 3 if nothing
came back in time.
"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from core.command_line import ArgumentParser, ae_title, listen_port, port, seconds, share
from core.config.wire import ServerTls
from core.console import plain_console
from core.errors import ConfigurationError
from core.log import quieten_libraries
from core.private_files import keep_files_private
from network.scu.c_store import PeerAddress
from network.scu.tls_options import add_tls_arguments, client_tls
from simulator.report import last_line, table_of, write_results
from simulator.run import simulate
from simulator.scenario import EXPECTATIONS, Scenario

_LISTEN_PORT, _DICE = 11113, 0.7
_SAMPLE = Path(__file__).parent / "samples" / "sunnybrook"
_SERIES = _SAMPLE / "dicoms" / "SCD0000501"
_CONTOURS = _SAMPLE / "contourfiles" / "SC-HF-I-6" / "i-contours"


def main(argv: Sequence[str] | None = None, *, prog: str = "tps_simulator") -> int:
    """Run the command, called `prog` in its --help; returns the exit code."""
    keep_files_private()
    quieten_libraries()
    out = plain_console()
    try:
        scenario = _scenario(_with_sample(_parser(prog).parse_args(argv)))
        outcome = simulate(scenario, on_step=out.print)
    except ConfigurationError as error:
        plain_console(stderr=True).print(str(error))
        return 2
    for path in write_results(scenario, outcome):
        out.print(f"written: {path}")
    out.print(table_of(outcome))
    out.print(last_line(outcome))
    return outcome.exit_code


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog=prog,
        description="Send a folder's series to a node, wait for the results and check them. "
        "Without FOLDER: the shipped sample, a cardiac series, and the contours drawn on it.",
    )
    add = parser.add_argument
    add("folder", nargs="?", metavar="FOLDER", help="folder of the series to send")
    add("--in_dir", help="the same as FOLDER")
    add("--scp_ip", default="127.0.0.1", help="address of the node")
    add("--scp_port", type=port, default=11112, help="port of the node")
    add("--scp_ae", type=ae_title, default="SLICEWIRE", help="AE title of the node")
    add("--ae_title", type=ae_title, default="TPS", help="our AE title")
    add("--listen_ip", default="127.0.0.1", help="address to listen on for results")
    add("--listen_port", type=listen_port, default=_LISTEN_PORT, help="port for results; 0: any")
    add("--listen_tls", action="store_true", help="listen with TLS, using --tls_certificate")
    add("--expect", choices=EXPECTATIONS, default="any", help="results that must come back")
    add("--timeout", type=seconds, default=300.0, help="seconds to wait for results")
    add("--settle", type=seconds, default=2.0, help="seconds without association before the check")
    add("--truth", type=Path, help="hand-drawn contours: text files or a structure set")
    add(
        "--map",
        action="append",
        default=[],
        metavar="TRUTH=STRUCTURE",
        help="pair, as i=LV_Endocardium",
    )
    add("--min_dice", type=share, default=_DICE, help="lowest Dice with --truth that passes")
    add("--output", type=Path, default=Path("tps_output"), help="new folder for what comes back")
    add_tls_arguments(parser)
    return parser


def _scenario(values: Namespace) -> Scenario:
    return Scenario(
        folder=_folder(values),
        node=PeerAddress(
            values.scp_ip, values.scp_port, values.scp_ae, client_tls(values, values.scp_ip)
        ),
        output=values.output,
        ae_title=values.ae_title,
        listen_ip=values.listen_ip,
        listen_port=values.listen_port,
        listen_tls=_listen_tls(values),
        truth=values.truth,
        names=dict(_pair(text) for text in values.map),
        expect=values.expect,
        timeout_s=values.timeout,
        settle_s=values.settle,
        lowest_dice=values.min_dice,
    )


def _listen_tls(values: Namespace) -> ServerTls | None:
    if not values.listen_tls:
        return None
    if values.tls_certificate is None or values.tls_key is None:
        raise ConfigurationError("--listen_tls: expected --tls_certificate and --tls_key beside it")
    return ServerTls(
        certificate_path=values.tls_certificate,
        key_path=values.tls_key,
        ca_path=values.tls_ca,
        require_client_certificate=values.tls_ca is not None,
    )


def _with_sample(values: Namespace) -> Namespace:
    """Fill in the shipped sample and its truth if no folder is given; expect a structure set."""
    if values.folder is not None or values.in_dir is not None:
        return values
    values.folder, values.truth = _SERIES, values.truth or _CONTOURS
    values.expect = "structure_set" if values.expect == "any" else values.expect
    return values


def _folder(values: Namespace) -> Path:
    if (values.folder is None) == (values.in_dir is None):
        raise ConfigurationError("FOLDER: expected one folder to send, as FOLDER or --in_dir")
    folder = Path(values.folder or values.in_dir)
    if not folder.is_dir():
        raise ConfigurationError(f"FOLDER: expected a folder, found none at {str(folder)!r}")
    if values.truth is not None and not values.truth.exists():
        raise ConfigurationError(f"--truth: expected a file or folder, found {values.truth}")
    if values.map and values.truth is None:
        raise ConfigurationError("--map: expected --truth beside it")
    return folder


def _pair(text: str) -> tuple[str, str]:
    truth_name, equals, structure = text.partition("=")
    if not (truth_name and equals and structure):
        raise ConfigurationError(f"--map: expected TRUTH=STRUCTURE, found {text!r}")
    return truth_name, structure


if __name__ == "__main__":
    sys.exit(main())
