"""SHA-256 of a stored file, and of the content of an instance."""

import hashlib
from pathlib import Path

from pynetdicom.dsutils import split_dataset

_BLOCK_BYTES = 1 << 20


def file_hash(path: Path) -> str:
    """SHA-256 of a file, as recorded for a job's results.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(path: Path, transfer_syntax_uid: str) -> str:
    """SHA-256 of transfer syntax and data set, as recorded for received instances.

    Raises:
        OSError: the file cannot be read.
    """
    _, offset = split_dataset(path)
    digest = hashlib.sha256(transfer_syntax_uid.encode())
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
