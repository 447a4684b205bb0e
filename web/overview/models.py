"""Model cards of the configured pipelines, read once for each file."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config.pipelines import PipelineSettings
from core.errors import ModelError
from pipeline.model_cards import model_card

Key = tuple[str, str, int, int]


def structures_written(
    pipeline: PipelineSettings, card: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """The structures of a model's card as a pipeline's `structures` has them written.

    Each has `name`, `color_rgb` and `interpreted_type`, and `own_name`: the name in the model.
    """
    changes = pipeline.model_dump().get("structures", {})
    own = [] if card is None else list(card.get("structures", []))
    return [_written(one, changes.get(one["name"], {})) for one in own]


def _written(own: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "color_rgb", "interpreted_type")
    found = {name: own[name] if change.get(name) is None else change[name] for name in names}
    return found | {"own_name": own["name"]}


class ModelCards:
    """Cache of model cards by kind, file, time and size; each is read in a process of its own."""

    def __init__(self) -> None:
        self._cards: dict[Key, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def card_of(self, pipeline: PipelineSettings) -> tuple[dict[str, Any] | None, str]:
        """The card of a pipeline's model, or None and the reason why it cannot be read.

        Without a model, None and an empty reason. The first call takes seconds.
        """
        if pipeline.model_path is None:
            return None, ""
        try:
            return self._card(pipeline.kind, pipeline.model_path), ""
        except ModelError as error:
            return None, str(error)

    def _card(self, kind: str, path: Path) -> dict[str, Any]:
        try:
            status = path.stat()
        except OSError as error:
            raise ModelError(f"Checkpoint {path} cannot be read ({error.strerror})") from error
        key = (kind, str(path), status.st_mtime_ns, status.st_size)
        with self._lock:
            if key not in self._cards:
                self._cards[key] = model_card(kind, path)
            return self._cards[key]
