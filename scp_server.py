"""The node in one command: receive series, run pipelines, push results back.

The exit code is 0 after a clean stop and 2 for a wrong configuration or command line.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from pynetdicom import _config

from core.arguments import ArgumentParser
from core.config import Configuration
from core.config_file import found_config, read_configuration
from core.errors import ConfigurationError
from core.identity import VERSION
from core.log import configure_logging, quieten_libraries
from node.supervisor import Node
from pipeline.kinds import GEOMETRY_RULES, PROGRAMS

_LOG_FILE = "debug.log"
_PIPELINES = "pipeline.entry:run_job"
_FLAGS = {
    "scp_ip": "address to listen on; 0.0.0.0 for every one",
    "scp_port": "port to listen on; 0 for any free one",
    "ae_title": "our AE title when we send",
    "scu_ip": "where results go when the sender is no configured peer",
    "scu_port": "its port",
    "scu_ae": "its AE title",
    "storage_path": "folder of instances, results and the ledger",
    "checkpoint_path": "model of the unet pipeline; the shipped one when not given",
    "root_uid": "prefix of the UIDs of results",
    "export_series": "send the imaging series back, unchanged, before the structure set",
    "pipeline": "run this one (blur, 3dblur, unet or one of --config) whatever the rules say",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    try:
        values = vars(_parser().parse_args(argv))
        configuration = read_configuration(found_config(values.pop("config")), values)
        node = _start(configuration)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(1.0):
        pass
    node.stop()
    return 0


def _start(configuration: Configuration) -> Node:
    quieten_libraries()
    _config.LOG_HANDLER_LEVEL = "none"  # pynetdicom's own log quotes what peers send
    node = Node(configuration, _PIPELINES, geometry_rules=GEOMETRY_RULES, programs=PROGRAMS)
    node.prepare()
    log_file = configuration.log.file or configuration.storage_path / _LOG_FILE
    configure_logging(
        configuration.log.level, json_lines=configuration.log.json_lines, file=log_file
    )
    ip, port = node.start()
    sys.stdout.write(f"Slicewire {VERSION} listens on {ip}:{port} as {configuration.ae_title}\n")
    sys.stdout.flush()
    log = structlog.get_logger("node")
    log.info("started", storage_path=str(configuration.storage_path), log_file=str(log_file))
    if configuration.pipeline is None and not configuration.rules:
        log.warning("no rules and no --pipeline: series are stored, none is run")
    return node


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="scp_server", description=__doc__)
    for name, text in _FLAGS.items():
        default = Configuration.model_fields[name].default
        shown = f"{text} (default: {default})" if default is not None else text
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=shown)
    parser.add_argument("--config", type=Path, help="configuration file (default: config.yaml)")
    parser.add_argument("--version", action="version", version=f"Slicewire {VERSION}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
