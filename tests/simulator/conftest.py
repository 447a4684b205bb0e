"""A little node: it receives a series, makes something of it and sends that back."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pynetdicom import AE, evt
from pynetdicom.dsutils import encode_file_meta

from core.identity import Provenance
from imaging.contours.polygon_fill import polygons_to_mask
from imaging.contours.text_contours import find_text_contours, read_text_contour
from imaging.instances.header import Header, read_header
from imaging.rtstruct.writer import Roi, build_structure_set
from network.presentation import listener_contexts
from network.scu.c_store import PeerAddress, instance_to_send, send
from tests.support.returned import headers_of

Masks = dict[str, npt.NDArray[np.bool_]]
Make = Callable[[Sequence[Header], Path], Sequence[Path]]
"""From what was received and a folder to write into, to what is sent back, in order."""

AE_TITLE = "LITTLENODE"


@dataclass
class LittleNode:
    """Where it listens, and where it is told to send."""

    address: PeerAddress = field(default_factory=lambda: PeerAddress("127.0.0.1", 0, AE_TITLE))
    answer_to: PeerAddress = field(default_factory=lambda: PeerAddress("127.0.0.1", 0, "TPS"))

    def answer_at(self, port: int) -> None:
        """Results go to this port of the machine."""
        self.answer_to = PeerAddress("127.0.0.1", port, "TPS")


@pytest.fixture
def start_node(tmp_path: Path) -> Iterator[Callable[[Make], LittleNode]]:
    """Start a node that answers every association with what `make` makes of it."""
    servers: list[Any] = []
    threads: list[threading.Thread] = []

    def start(make: Make) -> LittleNode:
        instance_store, outbox = tmp_path / "inbox", tmp_path / "outbox"
        instance_store.mkdir()
        outbox.mkdir()
        node = LittleNode()

        def on_c_store(event: Any) -> int:
            content = b"\x00" * 128 + b"DICM" + encode_file_meta(event.file_meta)
            path = instance_store / f"{event.request.AffectedSOPInstanceUID}.dcm"
            path.write_bytes(content + event.request.DataSet.getvalue())
            return 0x0000

        def answer() -> None:
            headers = [read_header(path) for path in sorted(instance_store.iterdir())]
            results = [instance_to_send(path) for path in make(headers, outbox)]
            assert all(one.is_stored for one in send(results, node.answer_to, AE_TITLE))

        def on_released(event: Any) -> None:
            thread = threading.Thread(target=answer)
            threads.append(thread)
            thread.start()

        entity = AE(ae_title=AE_TITLE)
        entity.supported_contexts = list(listener_contexts())
        handlers: list[Any] = [(evt.EVT_C_STORE, on_c_store), (evt.EVT_RELEASED, on_released)]
        server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        assert server is not None
        servers.append(server)
        node.address = PeerAddress("127.0.0.1", server.server_address[1], AE_TITLE)
        return node

    yield start
    for server in servers:
        server.shutdown()
    for thread in threads:
        thread.join(60)


@pytest.fixture
def contour_folder(cine_folder: Path) -> Path:
    """The hand-drawn contours of the demo's patient."""
    return cine_folder.parent.parent / "contourfiles" / "SC-HF-I-6"


@pytest.fixture
def draw_endocardium(contour_folder: Path, cine_folder: Path) -> Callable[..., Masks]:
    """The hand-drawn endocardium as a mask of each header, moved by some columns."""

    def draw(headers: Sequence[Header], columns: float = 0.0) -> Masks:
        numbers = {read_header(p).sop_instance_uid: int(p.stem) for p in cine_folder.iterdir()}
        texts = {one.number: one for one in find_text_contours(contour_folder) if one.kind == "i"}
        masks, shift = [], np.array([columns, 0.0])
        for header in headers:
            text = texts.get(numbers[header.sop_instance_uid])
            polygons = [] if text is None else [read_text_contour(text.path) + shift]
            masks.append(polygons_to_mask(polygons, (header.rows, header.columns)))
        return {"LV_Endocardium": np.stack(masks)}

    return draw


@pytest.fixture
def provenance() -> Provenance:
    """Of a job that never changes."""
    created = datetime(2026, 11, 21, 12, 0, 0)
    return Provenance("job", "1.2.826.0.1.3680043.8.498.", created, "drawn by hand")


@pytest.fixture
def write_structure_set(provenance: Provenance) -> Callable[..., Path]:
    """Write masks of `headers` as a structure set into a folder."""

    def write(headers: Sequence[Header], masks: Masks, folder: Path) -> Path:
        rois = [Roi(name, (230, 159, 0)) for name in masks]
        data_set = build_structure_set(headers, masks, rois, provenance, label="TEST")
        path = folder / "structure_set.dcm"
        data_set.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def cine(cine_folder: Path) -> dict[str, Header]:
    """The demo's patient."""
    return headers_of(cine_folder)


@pytest.fixture
def structure_set(
    cine: dict[str, Header], draw_endocardium: Any, write_structure_set: Any, tmp_path: Path
) -> Path:
    """The hand-drawn endocardium on the demo's patient."""
    headers = list(cine.values())
    path: Path = write_structure_set(headers, draw_endocardium(headers), tmp_path)
    return path
