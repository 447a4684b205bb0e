"""What mutated bytes are given to: the node's own way from the socket to the instance's path."""

import copy
import struct
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID
from pynetdicom import build_context
from pynetdicom.dsutils import create_file_meta, encode, encode_file_meta

from core.config.settings import Configuration
from core.config.wire import Wire
from core.errors import BoundError, InstanceError
from network.access import protocol_rejection, read_request, rejection_of
from network.data_sets.describe import examined
from network.data_sets.header_scan import scan
from network.data_sets.limits import DataSetBounds
from network.presentation import listener_contexts
from network.upper_layer.associate_pdus import read_associate, write_associate
from network.upper_layer.negotiation import Context, Supported, accept
from network.upper_layer.pdus import ASSOCIATE_AC
from node.scp.instance_store import InstanceStore, ReceivedInstance
from tests.security.fuzz_reception import Reading
from tests.support.databases import open_test_ledger
from tests.support.dicom.syntaxes import BIG_ENDIAN, DEFLATED, JPEG_2000, pydicom_bytes
from tests.support.peers import CT, EXPLICIT, IMPLICIT, MR, encoded
from tests.support.raw_peer import (
    COMMAND,
    DATA,
    LAST,
    RELEASE_RQ,
    associate_rq,
    p_data,
    store_command,
)

SYNTAXES = (EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, JPEG_2000)
_SMALL = Wire(maximum_elements=20_000, maximum_inflated_mb=20, maximum_instance_mb=1)


class Targets:
    """Each has a name and seeds; `outcomes` counts what became of the inputs."""

    def __init__(self, storage: Path) -> None:
        self.outcomes: Counter[str] = Counter()
        self._storage = storage
        self._configuration = Configuration()
        self._supported = Supported.of(listener_contexts())
        self._meta = {syntax: _file_meta(syntax) for syntax in SYNTAXES}
        (storage / "incoming").mkdir()
        self._bounds = DataSetBounds.of(_SMALL)
        self._instance_store = InstanceStore(
            storage,
            open_test_ledger(storage),
            root_uid="1.2.3.",
            minimum_free_mb=0,
            bounds=self._bounds,
        )
        self._reading = Reading(self._instance_store, Context(1, MR, EXPLICIT), _SMALL)

    def seeds(self) -> Mapping[str, Sequence[bytes]]:
        """Good inputs, by target."""
        syntaxes: list[str] = [EXPLICIT, IMPLICIT, JPEG_2000]
        contexts = [build_context(one, syntaxes) for one in (CT, MR)]
        requests = [associate_rq(), associate_rq(contexts)]
        return {
            "associate": requests,
            "stream": [*_messages(), RELEASE_RQ, requests[0]],
            "reception": [*_messages(), RELEASE_RQ, _ahead()],
            "reception_command": [store_command("1.2.3.4"), *_commands()],
            "command": [store_command("1.2.3.4"), *_commands()],
            **{f"data_set_{syntax}": _data_sets(syntax) for syntax in SYNTAXES},
        }

    def give(self, name: str, content: bytes) -> None:
        """Raises whatever should not happen."""
        if name == "associate":
            self._associate(content)
        elif name in ("reception", "stream"):
            self._reading.give(content, self.outcomes)
        elif name == "reception_command":
            data = p_data(encoded(_instance()), DATA | LAST)
            self._reading.give(p_data(content, COMMAND | LAST) + data, self.outcomes)
        elif name == "command":
            rest = p_data(b"\x00" * 8, DATA | LAST)
            self._reading.give(p_data(content, COMMAND | LAST) + rest, self.outcomes)
        else:
            self._data_set(content, name.removeprefix("data_set_"))

    def _associate(self, content: bytes) -> None:
        try:
            request = read_request(content, "192.0.2.1", None)
        except BoundError:
            self.outcomes["associate: refused"] += 1
            return
        protocol_rejection(request.asked)
        rejection_of(request, self._configuration)
        _, answer = accept(request.asked, self._supported, 16_384)
        read_associate(write_associate(ASSOCIATE_AC, answer))
        self.outcomes["associate: read"] += 1

    def _data_set(self, content: bytes, syntax: str) -> None:
        """To the path that the instance would have."""
        received = ReceivedInstance(1, MR, "1.2.3.4", syntax, self._meta[syntax], content)
        scanned = scan(content, syntax, self._bounds)
        try:
            described = self._instance_store.describe(received)
            if scanned is not None:  # what one walk finds is what pydicom finds
                assert examined(received, self._bounds) == scanned
        except InstanceError:
            self.outcomes["data set: refused"] += 1
            return
        path = (self._storage / described.path).resolve()
        assert path.is_relative_to((self._storage / "instances").resolve()), described.path
        assert len(path.relative_to(self._storage.resolve()).parts) == 4, described.path
        self.outcomes["data set: read"] += 1


def _file_meta(syntax: str) -> bytes:
    meta = create_file_meta(
        sop_class_uid=UID(MR), sop_instance_uid=UID("1.2.3.4"), transfer_syntax=UID(syntax)
    )
    return b"\x00" * 128 + b"DICM" + encode_file_meta(meta)


def _messages() -> list[bytes]:
    small = encoded(_instance())
    whole = p_data(store_command("1.2.3.4"), COMMAND | LAST) + p_data(small, DATA | LAST)
    split = p_data(store_command("1.2.3.4")[:30], COMMAND)
    split += p_data(store_command("1.2.3.4")[30:], COMMAND | LAST)
    split += p_data(small[:100], DATA) + p_data(small[100:], DATA | LAST)
    two = struct.pack(">BBL", 4, 0, 20) + struct.pack(">LBB4s", 6, 1, 1, b"abcd") * 2
    return [whole, split, whole + RELEASE_RQ, two]


def _ahead() -> bytes:
    """Several messages at once, one of them large enough for a file."""
    large = _instance()
    large.PixelData = bytes(4000)
    one = p_data(store_command("1.2.3.4"), COMMAND | LAST)
    return one + p_data(encoded(large), DATA | LAST) + b"".join(_messages()[:2])


def _commands() -> list[bytes]:
    """C-ECHO, a response, C-CANCEL, N-ACTION and N-EVENT-REPORT (PS3.7 Annex E)."""
    found = []
    for field, keys in (
        (0x0030, {"AffectedSOPClassUID": "1.2.840.10008.1.1", "MessageID": 1}),
        (0x8001, {"MessageIDBeingRespondedTo": 1, "Status": 0}),
        (0x0FFF, {"MessageIDBeingRespondedTo": 1}),
        (0x0130, {"RequestedSOPClassUID": CT, "MessageID": 2, "ActionTypeID": 1}),
    ):
        command = Dataset()
        command.CommandField, command.CommandDataSetType = field, 0x0101
        for keyword, value in keys.items():
            setattr(command, keyword, value)
        found.append(encode(command, True, True) or b"")
    return found


def _instance() -> Dataset:
    """A small MR image with sequences, text and a private element."""
    data_set, item = Dataset(), Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = MR, "1.2.3.4"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
    data_set.PatientName, data_set.SpecificCharacterSet = "A^B", "ISO_IR 100"
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = MR, "1.2.3.7"
    outer = copy.deepcopy(item)
    outer.ReferencedImageSequence = [item, item]
    data_set.ReferencedStudySequence = [outer]
    data_set.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data_set.Rows = data_set.Columns = 4
    data_set.SamplesPerPixel, data_set.PixelRepresentation = 1, 0
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PhotometricInterpretation, data_set.NumberOfFrames = "MONOCHROME2", "1"
    data_set.add_new(0x00291010, "UN", b"\x01\x02\x03\x04")
    data_set.add_new(0x7FE00010, "OW", bytes(32))
    return data_set


def _data_sets(syntax: str) -> list[bytes]:
    plain, undefined = _instance(), _instance()
    undefined["ReferencedStudySequence"].is_undefined_length = True
    if syntax == JPEG_2000:
        sizes = struct.pack(">HH8L", 41, 0, 4, 4, 0, 0, 4, 4, 0, 0)
        size = b"\xff\x4f\xff\x51" + sizes + struct.pack(">HBBB", 1, 15, 1, 1)
        for one in (plain, undefined):
            one.add_new(0x7FE00010, "OB", encapsulate([size + bytes(10)]))
            one["PixelData"].is_undefined_length = True
    uid = UID(syntax)
    written = [
        pydicom_bytes(one, implicit=uid.is_implicit_VR, little=uid.is_little_endian)
        for one in (plain, undefined)
    ]
    return [_deflated(one) for one in written] if uid.is_deflated else written


def _deflated(content: bytes) -> bytes:
    encoder = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return encoder.compress(content) + encoder.flush()
