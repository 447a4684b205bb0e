"""DICOM files in a multipart request, streamed to disk part by part (RFC 7578)."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import python_multipart
from fastapi import HTTPException
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_LONGEST_VALUE = 1024
_MOST_FIELDS = 16
_LONGEST_HEADER = 4096


class Upload:
    """Parts of one multipart request: values by name, and files numbered in the order received.

    File names of the sender are not used: they often contain the patient's name.
    """

    def __init__(self, folder: Path, *, most_files: int) -> None:
        self.values: dict[str, str] = {}
        self.files = 0
        self._folder = folder
        self._most_files = most_files
        self._header: list[bytes] = []
        self._disposition = b""
        self._field = ""
        self._value = b""
        self._file: BinaryIO | None = None

    async def take(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        """Read the whole request; afterwards all files are on disk and synced.

        Raises:
            HTTPException: 400, 413 or 415, with the reason.
            OSError: the files cannot be written.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise HTTPException(415, "expected multipart/form-data")
        parser = python_multipart.MultipartParser(options[b"boundary"], self._callbacks())
        try:
            async for chunk in chunks:
                await run_in_threadpool(parser.write, chunk)
            parser.finalize()
        except MultipartParseError as error:
            raise HTTPException(400, "the multipart request is not well formed") from error
        finally:
            self._close()

    def discard(self) -> None:
        """Remove the files received so far."""
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_headers_finished": self._on_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
        }

    def _begin(self) -> None:
        self._header, self._disposition, self._field, self._value = [b"", b""], b"", "", b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        if self._header[1]:
            self._keep_disposition()
        self._header[0] = self._grown(self._header[0], data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1] = self._grown(self._header[1], data[start:end])

    def _grown(self, value: bytes, more: bytes) -> bytes:
        if len(value) + len(more) > _LONGEST_HEADER:
            raise HTTPException(400, "a header of a part is too long")
        return value + more

    def _keep_disposition(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = [b"", b""]

    def _on_headers(self) -> None:
        self._keep_disposition()
        _, options = parse_options_header(self._disposition)
        if b"filename" in options:
            self._open()
            return
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if not self._field or len(self.values) >= _MOST_FIELDS:
            raise HTTPException(400, "the multipart request has parts without names, or too many")

    def _open(self) -> None:
        self.files += 1
        if self.files > self._most_files:
            raise HTTPException(413, f"more than {self._most_files} files")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = (self._folder / f"{self.files:06d}").open("xb")

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _LONGEST_VALUE:
            raise HTTPException(400, f"a value is longer than {_LONGEST_VALUE} bytes")

    def _end(self) -> None:
        if self._file is None:
            self.values[self._field] = self._value.decode("utf-8", "replace")
        elif self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
