"""The node in one command: receive series, run pipelines, push results back; pages and REST API.

The exit code is 0 after a clean stop, 2 for a wrong configuration or command line, and 75 if the
ledger failed while the node started, so that another start may work; with --check
it is 0 if all checks pass and 1 if one fails.
"""

import argparse
import gc
import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from core.plain_text import without_control
from core.signals import Signals, end_without_words

if __name__ == "__main__":
    end_without_words()  # what is imported below takes seconds

import structlog

from core.command_line import ArgumentParser
from core.config.file import ConfigurationFile
from core.config.settings import Configuration
from core.errors import ConfigurationError, RequestedJobError, StorageUnavailableError
from core.identity import VERSION
from core.log import configure_logging, quieten_libraries
from core.private_files import keep_files_private
from core.storage_layout import StorageLayout
from network.sender import Sender
from network.which_peer import confusions
from node.completion.forecast import Forecast
from node.exposures import exposures
from node.preflight import is_of_later_version, node_findings, running_node, static_findings
from node.rebuilding.rebuild import LOST
from node.reloading import ReadAgain
from node.supervisor import Node
from pipeline.kind import all_kinds
from pipeline.preflight import pipeline_findings
from web.server.preflight import web_findings
from web.server.process import WebProcess
from web.settings import WebSettings

_PIPELINES = "pipeline.entry:run_job"
_FLAGS = {
    "scp_ip": "address to listen on; 0.0.0.0 for all addresses of this machine",
    "scp_port": "port to listen on; 0 takes any free one",
    "ae_title": "our AE title when we send",
    "scu_ip": "address that results go to if their sender is not a configured peer",
    "scu_port": "port of --scu_ip",
    "scu_ae": "AE title of --scu_ip",
    "storage_path": "folder of instances, results and the ledger",
    "checkpoint_path": "checkpoint of the unet pipeline; without it, the shipped model",
    "root_uid": "prefix of the UIDs of results",
    "export_series": "send the imaging series back, unchanged, before the structure set",
    "web_ip": "address of pages and REST API; other than this machine only with users and HTTPS",
    "web_port": "port of pages and REST API; 0 for none",
    "pipeline": "run this pipeline (blur, 3dblur, unet or one of --config) whatever the rules say",
}

_NOT_NOW = 75  # EX_TEMPFAIL of sysexits.h: systemd repeats the start
_SWITCH_S = 0.0005
"""Switch interval of the interpreter: longest wait of other threads for one that computes."""


def main(argv: Sequence[str] | None = None, *, prog: str = "scp_server") -> int:
    """Run the command, called `prog` in its --help; returns the exit code."""
    keep_files_private()
    try:
        values = vars(_parser(prog).parse_args(argv))
        only_check, paths = values.pop("check"), values.pop("files")
        titles = values.pop("calling_ae_title"), values.pop("called_ae_title")
        if not only_check and (paths or any(titles)):
            raise ConfigurationError(f"{(*paths, *titles)[0]}: expected only with --check")
        file = ConfigurationFile(values.pop("config"), values)
        if only_check:
            return _forecast(file.read(), paths, *titles) if paths else _check(file.read())
        sys.setswitchinterval(_SWITCH_S)
        signals = Signals()
        signals.catch_stops()
        node, web = _start(file, signals)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StorageUnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return _NOT_NOW
    try:
        gc.collect()
        gc.freeze()  # keep later collections from scanning what is loaded now
        while not signals.wants_stop(1.0):
            if signals.wants_reload():
                node.ask_to_reload("SIGHUP")
    finally:
        if web is not None:
            web.stop()
        node.stop()
    return 0


def _check(configuration: Configuration) -> int:
    """Print a line for each check; returns 1 if one failed, 2 for a later version's ledger."""
    holder = running_node(configuration)
    if holder:
        sys.stdout.write(f"ok     ports: not tried, the node runs as process {holder}\n")
    code = _print_findings(
        chain(
            node_findings(configuration, try_port=not holder),
            pipeline_findings(configuration.pipelines),
            web_findings(WebSettings(configuration), try_port=not holder),
        )
    )
    return 2 if is_of_later_version(configuration) else code


def _forecast(
    configuration: Configuration, paths: Sequence[Path], calling: str | None, called: str | None
) -> int:
    """Print what the rules would do with files; returns 1 if nothing would run on one of them."""
    quieten_libraries()  # they quote values of data sets
    sender = Sender(calling or "ANY-SCU", called or configuration.ae_title, "127.0.0.1")
    forecast = Forecast(configuration, sender, {kind.name: kind.rules for kind in all_kinds()})
    try:
        return _print_findings(forecast.findings(paths))
    except RequestedJobError as error:
        raise ConfigurationError(str(error)) from error


def _print_findings(findings: Iterable[tuple[str, str, str]]) -> int:
    """Print a line for each finding; returns 1 if one is wrong."""
    wrong_ones = 0
    for name, words, wrong in findings:
        wrong_ones += bool(wrong)
        told = without_control(f"{name}: {wrong or words}")
        sys.stdout.write(f"{'WRONG' if wrong else 'ok':<6} {told}\n")
    return 1 if wrong_ones else 0


def reader_of_changes(file: ConfigurationFile) -> ReadAgain:
    """Return a function that reads the file anew and checks it, beside the running configuration.

    It raises ConfigurationError if a key, a rule, a certificate, a model or a peer is wrong. What
    was odd in the running configuration already is no reason against a changed one.
    """
    return partial(_checked_again, file)


def _checked_again(file: ConfigurationFile, running: Configuration) -> Configuration:
    changed = file.read()
    pipelines = {
        name: one for name, one in changed.pipelines.items() if running.pipelines.get(name) != one
    }
    known = {wrong for _, _, wrong in static_findings(running)}
    found = (*static_findings(changed), *pipeline_findings(pipelines))
    wrong_ones = [f"{name}: {wrong}" for name, _, wrong in found if wrong and wrong not in known]
    if wrong_ones:
        raise ConfigurationError("; ".join(wrong_ones))
    return changed


def _start(file: ConfigurationFile, signals: Signals) -> tuple[Node, WebProcess | None]:
    quieten_libraries()
    configuration = file.read()
    kinds = all_kinds()
    node = Node(
        configuration,
        _PIPELINES,
        geometry_rules={kind.name: kind.rules for kind in kinds},
        modules={kind.name: kind.modules for kind in kinds},
        read_again=reader_of_changes(file),
    )
    node.prepare(signals.wants_stop)
    log_file = configuration.log.file or StorageLayout(configuration.storage_path).node_log
    configure_logging(
        configuration.log.level, json_lines=configuration.log.json_lines, file=log_file
    )
    web = WebProcess(WebSettings(configuration, file=file)) if configuration.web_port else None
    is_lost = node.ledger_is_lost()
    ip, port = node.start()
    said = f"Slicewire {VERSION} listens on {ip}:{port} as {configuration.ae_title}\n"
    if node.tls_address is not None:
        said += "By TLS on {}:{}\n".format(*node.tls_address)
    if web is not None:
        web.tell_ports(port, node.tls_address[1] if node.tls_address else 0)
        web.start()
        node.follow_with(web)
        said += f"Pages and REST API: {web.url or f'none yet, {web.fault}'}\n"
    _say(said)
    log = structlog.get_logger("node")
    log.info("started", storage_path=str(configuration.storage_path), log_file=str(log_file))
    if is_lost:
        log.warning("the ledger is new", reason=LOST)
    _warn(configuration, file)
    return node, web


def _warn(configuration: Configuration, file: ConfigurationFile) -> None:
    """Log what is odd in the configuration, and keeps nothing from starting."""
    log = structlog.get_logger("node")
    if configuration.pipeline is None and not configuration.rules:
        log.warning("no rules and no --pipeline: series are stored, none is run")
    if configuration.wire.data_path is not None:
        log.warning("wire.data_path does nothing any more, the key may be removed")
    for words in exposures(configuration):
        log.warning("other users of this machine have access", reason=words)
    for path in file.paths_by_working_folder():
        log.warning("relative to the working folder, write it relative to the file", path=str(path))
    for words in confusions(configuration.peers):
        log.warning("series of some senders will be held", reason=words)


def _say(words: str) -> None:
    """Print; nobody may read any more what the node prints, and it goes on."""
    try:
        sys.stdout.write(words)
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(prog=prog, description=__doc__)
    for name, text in _FLAGS.items():
        default = Configuration.model_fields[name].default
        shown = f"{text} (default: {default})" if default is not None else text
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=shown)
    parser.add_argument("--config", type=Path, help="configuration file (default: config.yaml)")
    parser.add_argument(
        "--check", action="store_true", help="start nothing, only report what is wrong"
    )
    told = "with --check: tell what the rules would do with these files or folders"
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=told)
    for name, default in (("calling_ae_title", "ANY-SCU"), ("called_ae_title", "--ae_title")):
        words = f"with --check FILE: as if sent with this AE title (default: {default})"
        parser.add_argument(f"--{name}", default=None, help=words)
    parser.add_argument("--version", action="version", version=f"Slicewire {VERSION}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
