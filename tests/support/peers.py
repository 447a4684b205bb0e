"""Senders and series for tests: real associations, real instances with changed attributes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, cast

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, generate_uid
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.presentation import build_context

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
Address = tuple[str, int]
Change = Callable[[FileDataset, int], None]


@contextmanager
def associate(
    address: Address,
    *,
    syntaxes: Sequence[str] = (EXPLICIT,),
    classes: Sequence[str] = (MR,),
    calling: str = "TPS",
    called: str = "SLICEWIRE",
    comes_from: str = "127.0.0.1",
) -> Iterator[Association]:
    """An established association with the listener at `address`, released at the end."""
    contexts = [build_context(sop_class, [syntax]) for sop_class in classes for syntax in syntaxes]
    entity = AE(ae_title=calling)
    association = entity.associate(
        *address, contexts=contexts, ae_title=called, bind_address=(comes_from, 0)
    )
    assert association.is_established
    yield association
    if association.is_established:
        association.release()


def store(
    association: Association,
    data_set: bytes,
    *,
    sop_class_uid: str = MR,
    sop_instance_uid: str,
    syntax: str = EXPLICIT,
) -> Any:
    """C-STORE any bytes as a data set; answers the response primitive."""
    request = C_STORE()
    request.MessageID = 1
    request.AffectedSOPClassUID = UID(sop_class_uid)
    request.AffectedSOPInstanceUID = UID(sop_instance_uid)
    request.Priority = 2
    request.DataSet = BytesIO(data_set)
    context = next(
        one
        for one in association.accepted_contexts
        if one.abstract_syntax == sop_class_uid and one.transfer_syntax[0] == syntax
    )
    answers: SimpleQueue[Any] = SimpleQueue()

    def note(event: evt.Event) -> None:
        answers.put(event.message.message_to_primitive())

    association.bind(evt.EVT_DIMSE_RECV, note)
    association.dimse.send_msg(request, cast(int, context.context_id))
    response = _taken(answers, association)
    association.unbind(evt.EVT_DIMSE_RECV, note)
    return response


def _taken(answers: "SimpleQueue[Any]", association: Association) -> Any:
    """The first answer; None if the association ends without one."""
    while True:
        is_over = not association.is_established
        with suppress(Empty):
            return answers.get(timeout=0.02)
        if is_over:
            return None


def store_file(association: Association, path: Path) -> int:
    """C-STORE the instance of a file as it is; answers the status."""
    data_set = pydicom.dcmread(path)
    syntax = data_set.file_meta.TransferSyntaxUID
    response = store(
        association,
        encoded(data_set, implicit=syntax.is_implicit_VR),
        sop_class_uid=str(data_set.SOPClassUID),
        sop_instance_uid=str(data_set.SOPInstanceUID),
        syntax=str(syntax),
    )
    return int(response.Status)


def encoded(data_set: Dataset, *, implicit: bool = False) -> bytes:
    """The bytes of a data set without file meta."""
    content = BytesIO()
    plain = Dataset(data_set)
    dcmwrite(content, plain, implicit_vr=implicit, little_endian=True)
    return content.getvalue()


def write_series(sources: Sequence[Path], folder: Path, change: Change | None = None) -> list[Path]:
    """The instances of `sources` as a new series with new UIDs, each changed by `change`."""
    folder.mkdir(parents=True, exist_ok=True)
    series_uid, study_uid, frame_uid = generate_uid(), generate_uid(), generate_uid()
    written = []
    for index, source in enumerate(sources):
        data_set = pydicom.dcmread(source)
        data_set.SeriesInstanceUID, data_set.StudyInstanceUID = series_uid, study_uid
        data_set.FrameOfReferenceUID = frame_uid
        data_set.SOPInstanceUID = generate_uid()
        if change is not None:
            change(data_set, index)
        data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
        path = folder / f"{index}.dcm"
        data_set.save_as(path)
        written.append(path)
    return written
