"""Each echo, b-value or kernel is a volume of its own in whatever is made of the series."""

from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from core.errors import GeometryError
from imaging.geometry.placement import RULES_3D, place
from imaging.instances.frames import read_headers
from imaging.pixels.reader import read_pixels
from pipeline.conversion import dicom_to_hdf5
from pipeline.entry import run_job
from tests.support.dicom.synthetic import make_series
from tests.support.jobs import request_for
from tests.support.samples import CASES

ECHOES = sorted((CASES / "echoes_mixed").glob("*.dcm"))
BRIGHTNESS = {5.0: 1000.0, 20.0: 100.0}


def blurred(paths: list[Path], folder: Path) -> list[tuple[Path, FileDataset]]:
    request = request_for(paths, folder, "blur", {"sigma_mm": 3.0})
    result = run_job(request, lambda *_: None, {})
    found = [Path(request.output_dir, one.path) for one in result.instances]
    return [(path, pydicom.dcmread(path)) for path in found]


def test_no_echo_is_blurred_into_another(tmp_path: Path) -> None:
    results = blurred(ECHOES, tmp_path)
    assert len(results) == len(ECHOES)
    for path, data_set in results:
        expected = BRIGHTNESS[float(data_set.EchoTime)]
        assert np.abs(read_pixels(path) - expected).max() <= 0.5


def enhanced(folder: Path, attributes: list[dict[str, Any]]) -> Path:
    """An enhanced MR of 8 positions with a frame for each of `attributes`, in no constant order."""
    frames = [
        (position, number)
        for position in range(8)
        for number in (range(len(attributes)) if position % 3 else range(len(attributes))[::-1])
    ]
    cells = np.array([[[100 * (number + 1)] * 12] * 10 for _, number in frames], dtype="<u2")
    data_set = make_series(cells[:1], bits_stored=16, Modality="MR", ImageType=["ORIGINAL", "X"])[0]
    del data_set.ImagePositionPatient, data_set.RescaleSlope, data_set.RescaleIntercept
    data_set.SOPClassUID = data_set.file_meta.MediaStorageSOPClassUID = UID(
        "1.2.840.10008.5.1.4.1.1.4.1"
    )
    data_set.NumberOfFrames, data_set.PixelData = len(frames), cells.tobytes()
    shared = Dataset()
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[1, 1], SliceThickness=2)]
    data_set.SharedFunctionalGroupsSequence = [shared]
    data_set.PerFrameFunctionalGroupsSequence = [
        _group(position, attributes[number]) for position, number in frames
    ]
    path = folder / "enhanced.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path


def _group(position: int, sequences: dict[str, Any]) -> Dataset:
    group = Dataset()
    group.PlanePositionSequence = [_item(ImagePositionPatient=[0, 0, 2 * position])]
    for keyword, values in sequences.items():
        setattr(group, keyword, [_item(**values)])
    return group


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _direction(*gradient: float) -> dict[str, Any]:
    nested = _item(DiffusionGradientOrientation=list(gradient))
    return {"DiffusionBValue": 1000.0, "DiffusionGradientDirectionSequence": [nested]}


@pytest.mark.parametrize(
    ("sequence", "values"),
    [
        ("MREchoSequence", [{"EffectiveEchoTime": 5.0}, {"EffectiveEchoTime": 20.0}]),
        ("MRDiffusionSequence", [{"DiffusionBValue": 0.0}, {"DiffusionBValue": 1000.0}]),
        ("MRDiffusionSequence", [_direction(1, 0, 0), _direction(0, 1, 0), _direction(0, 0, 1)]),
        (
            "MRImageFrameTypeSequence",
            [{"ComplexImageComponent": "MAGNITUDE"}, {"ComplexImageComponent": "PHASE"}],
        ),
        (
            "MRImageFrameTypeSequence",
            [{"FrameType": ["DERIVED", "PRIMARY", one]} for one in ("WATER", "FAT", "IN_PHASE")],
        ),
        ("FrameContentSequence", [{"TemporalPositionIndex": 2}, {"TemporalPositionIndex": 1}]),
        ("FrameContentSequence", [{"StackID": "1"}, {"StackID": "2"}]),
        (
            "CardiacSynchronizationSequence",
            [{"NominalCardiacTriggerDelayTime": 10.0}, {"NominalCardiacTriggerDelayTime": 50.0}],
        ),
    ],
)
def test_frames_are_told_apart_like_instances(
    tmp_path: Path, sequence: str, values: list[dict[str, Any]]
) -> None:
    path = enhanced(tmp_path, [{sequence: one} for one in values])
    phases = place(read_headers(path), RULES_3D).phases
    pixels = pydicom.dcmread(path).pixel_array
    found = [{int(pixels[one.frame_number - 1].max()) for one in phase} for phase in phases]  # type: ignore[operator]
    assert [len(phase) for phase in phases] == [8] * len(values)
    assert sorted(map(sorted, found)) == [[100 * (number + 1)] for number in range(len(values))]


def test_frames_with_shifted_indices_are_refused_by_name(tmp_path: Path) -> None:
    path = enhanced(tmp_path, [{}, {}])
    data_set = pydicom.dcmread(path)
    for number, group in enumerate(data_set.PerFrameFunctionalGroupsSequence):
        group.FrameContentSequence = [_item(TemporalPositionIndex=1 + number % 2 + (number > 7))]
    data_set.save_as(path)
    with pytest.raises(GeometryError, match="TemporalPositionIdentifier does not say"):
        place(read_headers(path), RULES_3D)


def test_an_hdf5_file_has_one_echo_after_the_other() -> None:
    converted = dicom_to_hdf5([pydicom.dcmread(path) for path in ECHOES])
    with h5py.File(BytesIO(converted.hdf5), "r") as file:
        means = np.asarray(file["voxels"]).mean(axis=(1, 2))
    assert means.tolist() == [1000.0] * 8 + [100.0] * 8
