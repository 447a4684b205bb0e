"""From contours on disk to a model that the node serves: prepare, train, evaluate, serve."""

import json
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from model import evaluate, prepare, train
from model.inference.checkpoint import load_checkpoint, weights_sha256
from tests.support.node_process import NodeProcess, Sink, send, series_uid
from tests.support.peers import write_series

SUNNYBROOK = Path(__file__).parents[2] / "samples" / "sunnybrook"
UNSEEN = "SCD0000501"
SMALL = (
    "--k_folds", "3", "--exclude", UNSEEN, "--output_channels", "2", "--rings",
    "LV_Myocardium:LV_Endocardium", "--batch_size", "4", "--input_shape", "1,64,64",
    "--encoder_args", "8,16,24", "--working_spacing", "3", "--views", "1", "--learning_rate",
    "5e-3", "--max_steps", "120", "--passes", "3", "--threads", "1", "--num_workers", "0",
    "--enable_progress_bar", "false",
)  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained by the commands on the repository's samples, for a few seconds."""
    folder = tmp_path_factory.mktemp("learning")
    data, output = folder / "sunnybrook.h5", folder / "ventricle.ckpt"
    given = ["--input", str(SUNNYBROOK), "--output", str(data), "--workers", "1", "--no_pictures"]
    assert prepare.main(given) == 0
    assert train.main(["--data_dir", str(data), *SMALL, "--output", str(output)]) == 0
    return output


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Where the node's results go."""
    sink = Sink()
    yield sink
    sink.close()


@pytest.mark.slow
def test_what_was_trained_is_measured_on_patients_that_it_has_not_seen(
    checkpoint: Path,
) -> None:
    report = checkpoint.with_suffix(".html")
    given = [
        "--checkpoint",
        str(checkpoint),
        "--data_dir",
        str(checkpoint.parent / "sunnybrook.h5"),
    ]
    assert (
        evaluate.main([*given, "--report", str(report), "--pictures", "4", "--threads", "1"]) == 0
    )
    found = json.loads(report.with_suffix(".json").read_text())
    card, _ = load_checkpoint(checkpoint)
    measured = {one["patient"] for one in found["measurements"]}
    assert UNSEEN in measured
    assert not measured & set(card.training_patients)
    assert max(one["dice"] for one in found["measurements"]) > 0.2
    assert page_shows_pictures(report)


@pytest.mark.slow
def test_the_node_serves_what_was_trained_and_refuses_what_does_not_fit(
    checkpoint: Path, sink: Sink, cine_folder: Path, ct_folder: Path, tmp_path: Path
) -> None:
    node = NodeProcess(
        tmp_path / "node",
        scu_ip="127.0.0.1",
        scu_port=sink.port,
        pipelines={"ventricle": {"kind": "unet", "checkpoint_path": str(checkpoint)}},
        rules=[{"pipeline": "ventricle"}],
    ).start()
    try:
        cine = write_series([cine_folder / f"{one}.dcm" for one in (89, 99, 109)], tmp_path / "mr")
        send(node, cine)
        *images, structure_set = sink.wait_for(1)
        ct = write_series(sorted(ct_folder.glob("*.dcm"))[:3], tmp_path / "ct")
        send(node, ct)
        reason = node.wait_for_state(series_uid(ct), "failed").reason
        history = node.wait_for_state(series_uid(cine), "delivered")
    finally:
        node.stop()
    assert len(images) == 3
    card, _ = load_checkpoint(checkpoint)
    names = [str(one.ROIName) for one in structure_set.StructureSetROISequence]
    assert names == [structure.name for structure in card.structures]
    assert weights_sha256(checkpoint) in structure_set.StructureSetDescription
    assert card.training_fingerprint in structure_set.StructureSetDescription
    assert "Model 'ventricle' expects MR" in reason
    report = json.loads((Path(history.result_folders[0]) / "report.json").read_text())
    assert report["model"]["training_data"] == card.training_fingerprint
    assert drawn_on(structure_set) <= {str(image.SOPInstanceUID) for image in images}


def drawn_on(structure_set: pydicom.FileDataset) -> set[str]:
    """The images that carry a contour, of which there is at least one."""
    found = {
        str(contour.ContourImageSequence[0].ReferencedSOPInstanceUID)
        for roi in structure_set.ROIContourSequence
        for contour in roi.get("ContourSequence", [])
    }
    assert found
    return found


def page_shows_pictures(report: Path) -> bool:
    return report.read_text().count("data:image/png;base64,") == 4
