"""What models say of themselves, asked in a process of its own: the asker loads no PyTorch."""

import json
import subprocess
from pathlib import Path
from typing import Any

from core.child_process import module_command, module_environment
from core.errors import ModelError

_WITHIN_S = 120.0


def model_card(checkpoint_path: Path) -> dict[str, Any]:
    """Name, version, structures, measured Dice and the rest of a model's card, with its `sha256`.

    Takes seconds.

    Raises:
        ModelError: the file is no model, or was not read in time.
    """
    command = module_command("pipeline.card", str(checkpoint_path))
    try:
        asked = subprocess.run(  # noqa: S603, our own program
            command,
            capture_output=True,
            text=True,
            env=module_environment(),
            timeout=_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(
            f"Checkpoint {checkpoint_path} was not read ({type(error).__name__})"
        ) from error
    if asked.returncode:
        words = asked.stderr.strip().splitlines()
        raise ModelError(words[-1] if words else f"Checkpoint {checkpoint_path} cannot be read")
    card: dict[str, Any] = json.loads(asked.stdout)
    return card
