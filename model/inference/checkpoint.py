"""Checkpoints: one file with a model's weights and its card.

The file is `torch.save` of `{"format", "card", "weights"}` with strings, numbers, lists, dicts and
tensors only; reading with `weights_only=True` executes no code from it.
"""

import hashlib
import io
import os
import pickle
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.durable import sync_folder, write_synced
from core.errors import ModelError
from model.inference.unet_card import UnetCard, parse_unet_card

FORMAT = "slicewire-unet-1"
_ZIP_MAGIC = b"PK\x03\x04"
LOAD_ERRORS = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError)


def check_card(card: UnetCard) -> None:
    """Check that a checkpoint with this card could be loaded again.

    Raises:
        ModelError: a value is not allowed on a card; the message names it.
    """
    try:
        parse_unet_card(asdict(card))
    except ValueError as error:
        raise ModelError(f"Model '{card.name}': {error}") from error


def save_checkpoint(path: Path, card: UnetCard, state_dict: Mapping[str, Tensor]) -> None:
    """Write `card` and `state_dict` to `path`, atomically by a rename.

    Raises:
        ModelError: a value is not allowed on a card.
        OSError: the disk is full, read-only or missing.
    """
    check_card(card)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in state_dict.items()}
    content = io.BytesIO()
    torch.save({"format": FORMAT, "card": asdict(card), "weights": weights}, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    write_synced(temporary, content.getvalue())
    temporary.rename(path)
    sync_folder(path.parent)


def load_checkpoint(path: Path) -> tuple[UnetCard, dict[str, Tensor]]:
    """Read the card and the weights (on the CPU) from the file `path`.

    Raises:
        ModelError: the file is missing, damaged, contains code, or is not such a checkpoint.
    """
    content = _read_plain(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(f"{path.name}: not a checkpoint of format '{FORMAT}' (model.train)")
    try:
        card = parse_unet_card(content.get("card"))
    except ValueError as error:
        raise ModelError(f"{path.name}: the checkpoint's card is wrong: {error}") from error
    return card, _checked_weights(path, content.get("weights"))


def weights_sha256(path: Path) -> str:
    """SHA-256 of the checkpoint file, hexadecimal: identifies the model of a result.

    Raises:
        ModelError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: checkpoint cannot be read ({error.strerror})") from error


def _read_plain(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: checkpoint cannot be read ({error.strerror})") from error
    if not content.startswith(_ZIP_MAGIC):
        raise ModelError(f"{path.name}: not a checkpoint, expected a file written by model.train")
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except LOAD_ERRORS as error:
        raise ModelError(
            f"{path.name}: damaged or holds more than tensors and plain values, expected a "
            f"checkpoint written by model.train ({type(error).__name__})"
        ) from error


def _checked_weights(path: Path, weights: Any) -> dict[str, Tensor]:
    if not isinstance(weights, dict) or not weights:
        raise ModelError(f"{path.name}: the checkpoint has no weights")
    for name, tensor in weights.items():
        if not isinstance(tensor, Tensor) or not bool(torch.isfinite(tensor).all()):
            raise ModelError(f"{path.name}: weight '{name}' is not a tensor of finite numbers")
    return weights
