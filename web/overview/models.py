"""Models of the configuration: what each says of itself, read once for each file."""

import threading
from pathlib import Path
from typing import Any

from core.errors import ModelError
from pipeline.model_cards import model_card

Key = tuple[str, int, int]


class ModelCards:
    """Cards by file and time of its change; one is read at a time, in a process of its own."""

    def __init__(self) -> None:
        self._cards: dict[Key, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def card(self, checkpoint_path: Path) -> dict[str, Any]:
        """The card of a model; the first time takes seconds.

        Raises:
            ModelError: the file is no model.
        """
        try:
            status = checkpoint_path.stat()
        except OSError as error:
            raise ModelError(
                f"Checkpoint {checkpoint_path} cannot be read ({error.strerror})"
            ) from error
        key = (str(checkpoint_path), status.st_mtime_ns, status.st_size)
        with self._lock:
            if key not in self._cards:
                self._cards[key] = model_card(checkpoint_path)
            return self._cards[key]
