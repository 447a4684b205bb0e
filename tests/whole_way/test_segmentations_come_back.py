"""With `segmentation: true` the masks come back as well, over real associations."""

from pathlib import Path

import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import (
    MRImageStorage,
    RTStructureSetStorage,
    SegmentationStorage,
    generate_uid,
)

from simulator.checks import judge
from tests.support.node_process import NodeProcess, Sink, send, series_uid
from tests.support.peers import write_series
from tests.support.returned import headers_of


def saved(results: list[FileDataset], folder: Path) -> list[Path]:
    paths = [folder / f"{number}.dcm" for number in range(len(results))]
    for path, data_set in zip(paths, results, strict=True):
        data_set.save_as(path, enforce_file_format=True)
    return paths


def test_images_segmentations_and_the_structure_set_come_back_in_this_order_and_right(
    node: NodeProcess, sink: Sink, new_cine: list[Path], tmp_path: Path
) -> None:
    before = sink.released
    send(node, new_cine, called="SEG")
    results = sink.wait_for(before + 1)
    classes = [one.SOPClassUID for one in results]
    assert classes == [MRImageStorage] * 4 + [SegmentationStorage] * 2 + [RTStructureSetStorage]
    paths = saved(results, tmp_path)
    checks = {one.name: one for one in judge(headers_of(new_cine[0].parent), paths).checks}
    assert all(one.passed for one in checks.values()), checks
    assert "2, each frame in the place of its source" in checks["segmentations"].words
    # the node takes its own segmentation back, and does not make anything of it
    send(node, paths[4:6], called="SEG")
    history = node.wait_for_state(series_uid(paths[4:6]), "kept")
    assert history.reason.startswith("made by this node")
    assert sink.released == before + 1


@pytest.mark.slow
def test_without_a_common_frame_of_reference_the_structure_set_comes_alone_and_it_is_said(
    node: NodeProcess, sink: Sink, cine_paths: list[Path], tmp_path: Path
) -> None:
    def part(data_set: FileDataset, _: int) -> None:
        data_set.FrameOfReferenceUID = generate_uid()

    paths = write_series(cine_paths, tmp_path / "parted", part)
    before = sink.released
    send(node, paths, called="SEG")
    *images, last = sink.wait_for(before + 1)
    assert {one.SOPClassUID for one in images} == {MRImageStorage}
    assert last.SOPClassUID == RTStructureSetStorage
    node.wait_for_state(series_uid(paths), "delivered")
    assert "No segmentation: Series" in node.logs()
