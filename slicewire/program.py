"""The program `slicewire`: one verb for each command, each with its own --help."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pkgutil import resolve_name

from core.identity import VERSION
from core.private_files import keep_files_private
from core.signals import end_without_words


@dataclass(frozen=True, slots=True)
class Verb:
    """Command of the program."""

    entry: str
    """Function to run, as `module:function`; imported when the verb is used."""
    summary: str
    arguments: tuple[str, ...] = ()
    """Arguments that precede those of the command line."""
    tidies_up: bool = False
    """True if SIGTERM ends the command as Ctrl-C does, so that no incomplete file is left."""
    serves: bool = False
    """True for the node, which a signal ends without words while it is loaded."""

    def run(self, argv: Sequence[str], prog: str) -> int:
        """Run the command, called `prog` in its --help; returns the exit code."""
        keep_files_private()
        if self.tidies_up:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        if self.serves:
            end_without_words()
        code: int = resolve_name(self.entry)([*self.arguments, *argv], prog=prog)
        return code


VERBS = {
    "init": Verb("core.config.shipped:main", "write config.yaml, every key with a comment"),
    "check": Verb("scp_server:main", "report what would keep the node from working", ("--check",)),
    "node": Verb(
        "scp_server:main", "receive series, run pipelines, push results back", serves=True
    ),
    "reload": Verb("node.reload_command:main", "let the running node take a changed config.yaml"),
    "ledger": Verb(
        "node.ledger.__main__:main", "state and history of cases; run, release, retry, resend"
    ),
    "users": Verb("web.users:main", "manage the users of the pages and the REST API"),
    "send": Verb("scu_export:main", "send DICOM files and folders to a peer"),
    "simulate": Verb("tps_simulator:main", "simulate a planning system and check the results"),
    "to-hdf5": Verb(
        "pipeline.dicom_to_hdf5:main", "convert a DICOM series to HDF5 and JSON", tidies_up=True
    ),
    "to-dicom": Verb(
        "pipeline.hdf5_to_dicom:main", "convert HDF5 to a DICOM series", tidies_up=True
    ),
    "prepare": Verb("model.prepare:main", "make a data set for training from contours"),
    "train": Verb("model.train:main", "train a model on a data set"),
    "evaluate": Verb("model.evaluate:main", "measure checkpoints on annotated images"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb that the command line names; returns its exit code, 2 for no such verb."""
    first, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if first in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0
    if first == "--version":
        sys.stdout.write(f"Slicewire {VERSION}\n")
        return 0
    if first not in VERBS:
        sys.stderr.write(_unknown(first))
        return 2
    return VERBS[first].run(rest, f"slicewire {first}")


def node() -> int:
    """Run `slicewire-node`; returns the exit code."""
    return VERBS["node"].run(sys.argv[1:], "slicewire-node")


def export() -> int:
    """Run `slicewire-export`; returns the exit code."""
    return VERBS["send"].run(sys.argv[1:], "slicewire-export")


def tps() -> int:
    """Run `slicewire-tps`; returns the exit code."""
    return VERBS["simulate"].run(sys.argv[1:], "slicewire-tps")


def _help() -> str:
    lines = [f"  {name:<9} {verb.summary}\n" for name, verb in VERBS.items()]
    return (
        "usage: slicewire VERB ...\n\n"
        "A DICOM network node for radiotherapy and radiology.\n\n"
        f"{''.join(lines)}\n"
        "slicewire VERB --help describes a verb; slicewire --version prints the version.\n"
    )


def _unknown(word: str) -> str:
    near = get_close_matches(word.replace("_", "-"), VERBS, n=1)
    expected = f"{near[0]}, or another of" if near else "one of"
    return f"{word}: no such verb, expected {expected} {', '.join(VERBS)}\n"
