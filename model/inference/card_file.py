"""The card of a checkpoint by itself, read without its weights and without PyTorch."""

import pickle
import struct
import zipfile
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

from core.errors import ModelError
from model.inference.unet_card import UnetCard, parse_unet_card

_CONTENT = "/data.pkl"
"""End of the name of the zip file's entry that has everything but the weights' numbers."""
_MOST_BYTES = 16_000_000
_PLAIN = {("collections", "OrderedDict"): OrderedDict}
_DAMAGED = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, RuntimeError),
    *(MemoryError, ArithmeticError, StopIteration),
    *(zipfile.BadZipFile, pickle.UnpicklingError, zlib.error, struct.error),
)


def read_card(path: Path) -> UnetCard:
    """Read the card of the checkpoint in the file `path`; takes milliseconds and runs no code.

    Whether the weights can be loaded is not looked at.

    Raises:
        ModelError: the file cannot be read, or has no such card.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = next(one for one in archive.infolist() if one.filename.endswith(_CONTENT))
            if entry.file_size > _MOST_BYTES:
                raise ModelError(f"{path.name}: the checkpoint's card cannot be read, too long")
            with archive.open(entry) as file:
                return parse_unet_card(_WithoutWeights(file).load()["card"])
    except _DAMAGED as error:
        raise ModelError(
            f"{path.name}: the checkpoint's card cannot be read ({type(error).__name__})"
        ) from error


class _WithoutWeights(pickle.Unpickler):
    """Reads plain values; each tensor becomes None, and anything else is refused."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        plain = _PLAIN.get((module_name, global_name))
        if plain is not None:
            return plain
        if module_name.split(".", maxsplit=1)[0] == "torch":
            return _nothing
        raise pickle.UnpicklingError("more than tensors and plain values")

    def persistent_load(self, _: Any) -> None:
        """Pass over the numbers of a tensor."""


def _nothing(*_: object) -> None:
    """In place of what makes a tensor."""
