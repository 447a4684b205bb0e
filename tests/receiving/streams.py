"""Whole associations as bytes, and all that a peer and the owner of the node see of each."""

import copy
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import UID
from pynetdicom import build_context
from pynetdicom.dsutils import encode

from core.config.settings import Configuration
from tests.support.dicom.syntaxes import BIG_ENDIAN, DEFLATED, JPEG_2000, pydicom_bytes
from tests.support.node_process import wait_until
from tests.support.peers import EXPLICIT, IMPLICIT, MR
from tests.support.raw_peer import (
    ACCEPTED,
    COMMAND,
    DATA,
    LAST,
    RELEASE_RQ,
    RawPeer,
    associate_rq,
    event_words,
    p_data,
    store_command,
)
from tests.support.receiver import start_receiver

SYNTAXES = (EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, JPEG_2000)
CONTEXTS = {syntax: 2 * number + 1 for number, syntax in enumerate(SYNTAXES)}
ECHO = 2 * len(SYNTAXES) + 1


@dataclass
class Outcome:
    """All that a peer and the node's owner see of an association."""

    answers: list[bytes]
    files: dict[str, bytes]
    refused: list[Any]
    ended: list[str]
    words: list[str]


def outcome_of(folder: Path, stream: Sequence[bytes], answers: int = 1, **wire: Any) -> Outcome:
    """What comes of a stream; a release in it is asked for after so many answers."""
    contexts = [build_context(MR, [syntax]) for syntax in SYNTAXES]
    contexts += [build_context("1.2.840.10008.1.1", [IMPLICIT])]
    free = wire.get("minimum_free_mb", 0)
    receiver = start_receiver(folder, free, Configuration.model_validate({"wire": wire}))
    with RawPeer(receiver.address) as peer:
        peer.send(associate_rq(contexts))
        assert peer.answer() == ACCEPTED
        came: list[bytes] = []
        for piece in stream:
            while piece is RELEASE_RQ and len(came) < answers:
                came.append(bytes((peer.answer(),)) + peer.last)
            try:
                peer.send(piece)
            except ConnectionError:  # it was aborted at once
                break
        while (kind := peer.answer()) != -1:
            came.append(bytes((kind,)) + peer.last)
        wait_until(lambda: receiver.listener.reap() > 0 or receiver.ended != [])
    files = receiver.files()
    found = Outcome(
        answers=came,
        files={str(one.relative_to(receiver.storage_path)): one.read_bytes() for one in files},
        refused=receiver.refused,
        ended=[outcome for _, outcome in receiver.ended],
        words=event_words(receiver, "bound"),
    )
    receiver.listener.stop()
    receiver.ledger.close()
    return found


def in_syntax(instance: pydicom.FileDataset, syntax: str) -> bytes:
    uid, data_set = UID(syntax), pydicom.Dataset(copy.deepcopy(instance))
    if syntax == JPEG_2000:
        size = struct.pack(">HH8L", 41, 0, 4, 4, 0, 0, 4, 4, 0, 0)
        frame = b"\xff\x4f\xff\x51" + size + struct.pack(">HBBB", 1, 15, 1, 1) + bytes(11)
        data_set.add_new(0x7FE00010, "OB", encapsulate([frame, frame]))
        data_set["PixelData"].is_undefined_length = True
    content = pydicom_bytes(data_set, implicit=uid.is_implicit_VR, little=uid.is_little_endian)
    if not uid.is_deflated:
        return content
    encoder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return encoder.compress(content) + encoder.flush()


def message(instance: pydicom.FileDataset, syntax: str = EXPLICIT, **split: int) -> list[bytes]:
    """The PDUs of a C-STORE, command and data set in fragments of these sizes."""
    context_id = CONTEXTS[syntax]
    command, data = store_command(str(instance.SOPInstanceUID)), in_syntax(instance, syntax)
    return [
        *fragments(command, COMMAND, context_id, split.get("command", 10_000)),
        *fragments(data, DATA, context_id, split.get("data", 16_000)),
    ]


def fragments(content: bytes, kind: int, context_id: int, most: int) -> list[bytes]:
    starts = range(0, max(1, len(content)), most)
    pieces = [content[start : start + most] for start in starts]
    last = len(pieces) - 1
    return [
        p_data(piece, kind | (LAST if number == last else 0), context_id)
        for number, piece in enumerate(pieces)
    ]


def echo() -> bytes:
    command = pydicom.Dataset()
    command.AffectedSOPClassUID, command.CommandField = "1.2.840.10008.1.1", 0x0030
    command.MessageID, command.CommandDataSetType = 9, 0x0101
    return p_data(encode(command, True, True) or b"", COMMAND | LAST, ECHO)


def status_of(answer: bytes) -> int:
    at = answer.index(b"\x00\x00\x00\x09\x02\x00\x00\x00")
    return int.from_bytes(answer[at + 8 : at + 10], "little")
