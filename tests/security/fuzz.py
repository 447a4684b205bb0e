"""Mutated bytes into the parsers that a peer's bytes go through, a million of them and more.

    python -m tests.security.fuzz --inputs 1000000

No socket of the machine is listened on. An input fails the run when anything else than a refusal
comes of it: another exception, more than 5 s, or a path outside the storage folder. It is then
written to --found, and belongs into tests/security/corpus. Memory is looked at on the way. The
exit code is 0 when nothing was found and 1 otherwise.
"""

import argparse
import faulthandler
import hashlib
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from core.log import quieten_libraries
from tests.security.fuzz_targets import Targets
from tests.security.mutations import mutated

CORPUS = Path(__file__).parent / "corpus"
_SLOW_S, _HANGS_S, _WATCH_EVERY, _WARM_UP, _GROWTH_MB = 5.0, 120.0, 1000, 5000, 60.0
Tell = Callable[[str], None]


class FoundError(Exception):
    """An input that was not simply refused."""


def run(
    inputs: int,
    seed: int,
    *,
    storage: Path,
    seconds: float = float("inf"),
    found: Path | None = None,
    tell: Tell = print,
) -> int:
    """Give so many inputs to the targets in turn, for so long; answers how many were found.

    Raises:
        FoundError: memory grew.
    """
    warnings.simplefilter("ignore")
    quieten_libraries()
    generator, targets, count = random.Random(seed), Targets(storage), 0
    seeds = targets.seeds()
    names, process, first_mb = list(seeds), psutil.Process(), 0.0
    begun = time.monotonic()
    for number in range(inputs):
        if time.monotonic() - begun > seconds:
            inputs = number
            break
        if number % _WATCH_EVERY == 0:  # a hang ends the process, with where it was
            faulthandler.dump_traceback_later(_HANGS_S, exit=True)
        name = names[number % len(names)]
        content = mutated(generator, seeds[name])
        count += not try_one(targets, name, content, found=found, tell=tell)
        if number == min(_WARM_UP, inputs // 2):
            first_mb = process.memory_info().rss / 1e6
        if number and number % 50_000 == 0:
            rate = number / (time.monotonic() - begun)
            tell(f"{number} inputs, {rate:.0f}/s, {process.memory_info().rss / 1e6:.0f} MB")
    faulthandler.cancel_dump_traceback_later()
    grown = process.memory_info().rss / 1e6 - first_mb
    took_s = time.monotonic() - begun
    tell(f"{inputs} inputs in {took_s:.0f} s, seed {seed}: {count} found, {grown:+.0f} MB")
    tell(", ".join(f"{key} {value}" for key, value in sorted(targets.outcomes.items())))
    if grown > _GROWTH_MB:
        raise FoundError(f"memory grew by {grown:.0f} MB")
    return count


def try_one(
    targets: Targets, name: str, content: bytes, *, found: Path | None = None, tell: Tell = print
) -> bool:
    """Whether a target took or refused the input as it should."""
    begun = time.monotonic()
    try:
        targets.give(name, content)
        words = "" if time.monotonic() - begun < _SLOW_S else "slow"
    except Exception as error:  # noqa: BLE001, that is what is looked for
        words = f"{type(error).__name__}: {error}"
    if words:
        stem = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
        tell(f"FOUND {stem}: {words}")
        if found is not None:
            found.mkdir(parents=True, exist_ok=True)
            (found / f"{stem}.bin").write_bytes(content)
    return not words


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, help="folder for inputs that fail")
    values = parser.parse_args(argv)

    def tell(words: str) -> None:
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory() as folder:
        storage = Path(folder) / "storage"
        storage.mkdir()
        count = run(
            values.inputs,
            values.seed,
            storage=storage,
            seconds=values.seconds,
            found=values.found,
            tell=tell,
        )
        outside = [one for one in Path(folder).iterdir() if one != storage]
    return 1 if count or outside else 0


if __name__ == "__main__":
    sys.exit(main())
