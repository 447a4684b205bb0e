"""Padding within the range of values is kept; padding outside of it does not bleed."""

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest

from imaging.derived.blur import gaussian_blur
from imaging.instances.header import Header, read_header
from imaging.pixels.padding import Padding, fill_padding
from imaging.pixels.reader import Voxels, read_frames
from imaging.series.volume import read_images, read_volume
from pipeline.entry import run_job
from tests.support.dicom.enhanced import enhanced, item
from tests.support.jobs import request_for
from tests.support.samples import CASES

MASKED_MR = CASES / "padding_in_mr/mr"


@dataclass(frozen=True)
class Image:
    """Stored values of the left and right half inside, `outside` above and below."""

    inside: tuple[int, int]
    outside: int
    modality: str = "MR"
    signed: bool = True
    slope: float = 1.0
    intercept: float = 0.0
    limit: int | None = None
    padding: int | None = None
    """PixelPaddingValue, where it is not `outside`."""

    @property
    def stored(self) -> np.ndarray:
        values = np.full((32, 32), self.outside)
        values[8:24, :16], values[8:24, 16:] = self.inside
        return values.astype("<i2" if self.signed else "<u2")

    def write(self, folder: Path) -> Header:
        data_set = pydicom.dcmread(MASKED_MR / "im0000.dcm")
        data_set.Modality, data_set.PixelRepresentation = self.modality, int(self.signed)
        data_set.RescaleSlope, data_set.RescaleIntercept = str(self.slope), str(self.intercept)
        data_set.PixelData = self.stored.tobytes()
        padding = self.outside if self.padding is None else self.padding
        representation = "SS" if padding < 0 else "US"
        data_set.add_new("PixelPaddingValue", representation, padding)
        if self.limit is not None:
            data_set.add_new("PixelPaddingRangeLimit", representation, self.limit)
        data_set.save_as(folder / "image.dcm")
        return read_header(folder / "image.dcm")


BACKGROUND = {
    "MR of 0 around one value": Image((500, 500), 0),
    "MR of 0 around several values": Image((1, 900), 0),
    "MR of unsigned pixels": Image((500, 700), 0, signed=False),
    "MR with a slope and an intercept": Image((500, 700), 0, slope=2.0, intercept=-300.0),
    "MR whose values reach below": Image((-900, 900), 0),
    "MR with a range of which 0 is one end": Image((500, 700), 0, limit=20),
    "PET of 0": Image((500, 700), 0, modality="PT", signed=False, slope=0.01),
    "CT of air": Image((40, 60), -1024, modality="CT"),
    "CT of stored 0 for -1024 HU": Image((1064, 1090), 0, "CT", signed=False, intercept=-1024.0),
    "CT of 0 HU, a value like others": Image((-900, 900), 0, modality="CT"),
    "CT of air below -1024 as in the image": Image((-1100, 60), -1050, modality="CT"),
    "CT written as unsigned": Image((40, 60), -1024, "CT", padding=64512),
}
BEYOND = {
    "CT of -2000 HU with air": (Image((-1010, 60), -2000, "CT"), -1010.0),
    "CT of -2000 HU without air": (Image((40, 60), -2000, "CT"), -1000.0),
    "CT of -2000 HU written as unsigned": (Image((40, 60), -2000, "CT", padding=63536), -1000.0),
    "CT of stored 0 for -8192 HU": (
        Image((8232, 8252), 0, "CT", signed=False, intercept=-8192.0),
        -1000.0,
    ),
    "CT above all else": (Image((40, 60), 4095, "CT"), -1000.0),
    "MR of the lowest number": (Image((500, 700), -32768), 0.0),
    "MR of the highest number": (Image((500, 700), 65535, signed=False), 0.0),
    "MR far below with a slope and an intercept": (
        Image((500, 700), -32768, slope=2.0, intercept=-300.0),
        -300.0,
    ),
    "MR far below, values reaching below 0": (Image((-900, 900), -32768), -900.0),
    "range below a CT": (Image((-1010, 60), -1500, "CT", padding=-2000, limit=-1400), -1010.0),
}


@pytest.mark.parametrize("name", BACKGROUND)
def test_background_stays_what_it_is(name: str, tmp_path: Path) -> None:
    image = BACKGROUND[name]
    [voxels] = read_images([image.write(tmp_path)])
    expected = image.stored.astype(np.float32) * np.float32(image.slope) + image.intercept
    assert np.allclose(voxels, expected, rtol=1e-6)


@pytest.mark.parametrize("name", BEYOND)
def test_padding_beyond_all_else_becomes_background(name: str, tmp_path: Path) -> None:
    image, background = BEYOND[name]
    [voxels] = read_images([image.write(tmp_path)])
    inside = image.stored[8:24].astype(np.float32) * image.slope + image.intercept
    assert np.array_equal(voxels[8:24], inside)
    assert set(np.delete(voxels, slice(8, 24), axis=0).reshape(-1)) == {background}


def test_a_range_is_judged_value_by_value(tmp_path: Path) -> None:
    image = Image((-500, 60), -1020, "CT", padding=-3000, limit=-1001)
    header = image.write(tmp_path)
    data_set = pydicom.dcmread(header.path)
    stored = image.stored
    stored[:4] = -3000
    data_set.PixelData = stored.tobytes()
    data_set.save_as(header.path)
    [voxels] = read_images([header])
    assert (set(voxels[:4].reshape(-1)), set(voxels[4:8].reshape(-1))) == ({-1000}, {-1020})


def test_images_that_are_nothing_but_padding_stay_as_they_are(tmp_path: Path) -> None:
    [voxels] = read_images([Image((-2000, -2000), -2000, "CT").write(tmp_path)])
    assert set(voxels.reshape(-1)) == {-2000.0}


def test_padding_of_a_whole_series_is_replaced_without_a_copy_of_it() -> None:
    images = np.full((40, 128, 128), 5, np.float32)
    images[:, 0] = -2000
    padding = {index: Padding(image == -2000, -1000, -1024) for index, image in enumerate(images)}
    tracemalloc.start()
    fill_padding(images, padding)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(images[:, 0].ravel()) == {-1000.0}
    assert peak_bytes < images.nbytes / 4


def blurred(headers: list[Header]) -> Voxels:
    volume = read_volume(headers)
    return gaussian_blur(volume.voxels, 3.0, volume.spacing_mm)


def test_a_masked_mr_is_blurred_into_its_background() -> None:
    headers = [read_header(path) for path in sorted(MASKED_MR.iterdir())]
    result = blurred(headers)
    assert (round(float(result.min())), round(float(result.max()))) == (0, 492)
    assert result[2, 16, 7:9] == pytest.approx([215, 281], abs=0.5)  # around half at the edge


def test_a_masked_mr_comes_back_from_0_to_492(tmp_path: Path) -> None:
    paths = sorted(MASKED_MR.iterdir())
    request = request_for(paths, tmp_path, "blur", {"sigma_mm": 3.0})
    result = run_job(request, lambda *_: None, {})
    values = [
        pydicom.dcmread(Path(request.output_dir, one.path)).pixel_array for one in result.instances
    ]
    assert (np.min(values), np.max(values)) == (0, 492)


def test_padding_of_a_converted_image_is_that_of_its_frames(tmp_path: Path) -> None:
    data_set = enhanced("CT")
    own = item(PixelPaddingValue=63536)
    own["PixelPaddingValue"].VR = "US"
    groups = data_set.PerFrameFunctionalGroupsSequence[0]
    groups.UnassignedPerFrameConvertedAttributesSequence = [own]
    stored = np.full((6, 16, 20), 100, dtype="<i2")
    stored[:, :3] = -2000
    data_set.PixelData, data_set.PixelRepresentation = stored.tobytes(), 1
    data_set.save_as(tmp_path / "enhanced.dcm")
    first, second, *_ = read_frames(tmp_path / "enhanced.dcm")
    assert first.padding is not None
    assert (first.padding.sum(), second.padding) == (3 * 20, None)
