"""Series of private SOP classes are kept and told; refusals that belong to no series, too."""

from pathlib import Path

import pydicom
from pydicom.uid import UID
from sqlalchemy import select

from node.ledger.schema import events
from node.scp.refusals import Refusal
from tests.support.completion import Start
from tests.support.peers import write_series

CSA = "1.3.12.2.1107.5.9.1"


def make_private(data_set: pydicom.FileDataset, _: int) -> None:
    data_set.SOPClassUID = data_set.file_meta.MediaStorageSOPClassUID = UID(CSA)


def test_a_series_of_a_private_class_is_kept(
    start: Start, cine_folder: Path, tmp_path: Path
) -> None:
    paths = write_series(sorted(cine_folder.glob("*.dcm"))[:3], tmp_path / "csa", make_private)
    completion = start(rules=[{"pipeline": "unet"}])
    completion.send(paths)
    completion.settle()
    assert completion.jobs(paths) == []
    assert completion.series(paths).state == "kept"
    assert completion.series(paths).reason == "no images: stored, not processed"


def test_a_refusal_that_belongs_to_no_series_is_an_event(start: Start) -> None:
    completion = start()
    refusal = Refusal("", "", "0xC000, SeriesInstanceUID has 65 characters, at most 64")
    completion.series_completion.association_ended(completion.open(), "released", [refusal])
    with completion.ledger.reading() as connection:
        words = connection.scalars(select(events.c.words).where(events.c.kind == "refused")).all()
    assert any("SeriesInstanceUID has 65 characters" in one for one in words)
