"""Model cards, read in a subprocess so that the caller does not load PyTorch.

`python -m pipeline.model_cards KIND FILE` loads a model and prints its card as JSON. The exit code
is 0, or 1 with a message if the file is not a model of that kind.
"""

import json
import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.child_process import module_command, module_environment
from core.errors import ModelError, SlicewireError
from model.inference.segmenter import Segmenter
from pipeline.kind import kind_named

_WITHIN_S = 120.0
_WITHOUT_GPU = {"CUDA_VISIBLE_DEVICES": ""}
"""Hides the GPU, which may be reserved for one process: a worker."""


def model_card(kind: str, path: Path) -> dict[str, Any]:
    """Card of the model in the file `path` as plain values, with its `sha256`; takes seconds.

    Raises:
        ModelError: the file is not a model of this kind, or could not be read in time.
    """
    command = module_command("pipeline.model_cards", kind, str(path))
    try:
        asked = subprocess.run(  # noqa: S603, our own program
            command,
            capture_output=True,
            text=True,
            env=module_environment() | _WITHOUT_GPU,
            timeout=_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"Checkpoint {path} was not read ({type(error).__name__})") from error
    if asked.returncode:
        words = asked.stderr.strip().splitlines()
        raise ModelError(words[-1] if words else f"Checkpoint {path} cannot be read")
    card: dict[str, Any] = json.loads(asked.stdout)
    return card


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    kind, path = argv
    try:
        segmenter: Segmenter = pkgutil.resolve_name(kind_named(kind).segmenter)(Path(path))
    except SlicewireError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(segmenter.card) | {"sha256": segmenter.sha256}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
