"""`python -m pipeline.card CHECKPOINT`: what a model says of itself, as JSON.

The exit code is 0, or 1 with one sentence for a file that is no model.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from core.errors import ModelError
from model.inference.checkpoint import load_checkpoint, weights_sha256


def main(argv: Sequence[str]) -> int:
    """The command; returns the exit code."""
    path = Path(argv[0])
    try:
        card, _ = load_checkpoint(path)
        sys.stdout.write(json.dumps(asdict(card) | {"sha256": weights_sha256(path)}))
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
