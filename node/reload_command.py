"""Let the running node take what changed in its configuration file: `slicewire reload`.

A change of scp_ip, scp_port, storage_path, database_url, root_uid, web_ip, web_port, engine, wire,
log or web is left for a restart, and the answer names its key.

Exit code: 0 taken, or nothing differs; 1 the file is wrong and nothing was changed, or no node
answers; 2 wrong command line, or the file cannot be read here.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from core.command_line import ArgumentParser
from core.config.file import found_config, read_configuration
from core.config.settings import Configuration
from core.errors import ConfigurationError, StorageUnavailableError
from core.private_files import keep_files_private
from node.answers import Answer
from node.commands import RELOAD, answer_to, ask
from node.ledger.database import Ledger
from node.ledger.existing import open_existing_ledger
from node.lock import holder_of

_ANSWER_WITHIN_S = 150.0  # a new model is loaded before it is taken
_ASKER = "slicewire reload"


def main(argv: Sequence[str] | None = None, *, prog: str = "slicewire reload") -> int:
    """Run the command and return its exit code; its --help calls it `prog`."""
    keep_files_private()
    try:
        values = vars(_parser(prog).parse_args(argv))
        config = values.pop("config")
        flags = {name: value for name, value in values.items() if value is not None}
        return _reload(read_configuration(found_config(config), flags))
    except (ConfigurationError, StorageUnavailableError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _reload(configuration: Configuration) -> int:
    storage_path, url = configuration.storage_path, configuration.plain_database_url
    if not holder_of(storage_path):
        sys.stdout.write(
            f"No node runs with --storage_path {storage_path}. A start reads the file; a changed "
            "storage_path needs a restart.\n"
        )
        return 1
    ledger = open_existing_ledger(storage_path, database_url=url)
    try:
        answer = _asked(ledger)
    finally:
        ledger.close()
    sys.stdout.write(f"{answer.words[:1].upper()}{answer.words[1:]}\n")
    return int(answer.is_refused)


def _asked(ledger: Ledger) -> Answer:
    """Ask the node and wait for its answer."""
    command, until = ask(ledger, RELOAD, _ASKER), time.monotonic() + _ANSWER_WITHIN_S
    while time.monotonic() < until:
        answer = answer_to(ledger, command)
        if answer is not None:
            return answer
        time.sleep(0.1)
    return Answer("the node has not answered yet; it will", is_refused=True)


def _parser(prog: str) -> ArgumentParser:
    parser = ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--config", type=Path, help="configuration file (default: config.yaml)")
    for name in ("storage_path", "database_url"):
        parser.add_argument(f"--{name}", help=f"{name} of the node")
    return parser
