"""Compressed, big-endian and deflated series give the same HDF5 values and come back the same."""

import re
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEGLSLossless,
)

from core.errors import PixelError
from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.encodings import ENCODINGS, Encode, _big_endian
from tests.support.dicom.synthetic import cells_by_source, make_series, ramp


@pytest.mark.parametrize(("encode", "syntax"), ENCODINGS)
@pytest.mark.parametrize("name", ["ct", "cine"])
def test_a_real_series_comes_back_bit_for_bit(
    encode: Encode, syntax: str, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sources = request.getfixturevalue(name)[:6]
    expected = dicom_to_hdf5(sources)
    encoded = [encode(deepcopy(one), tmp_path) for one in sources]
    converted = dicom_to_hdf5(encoded)
    assert converted.hdf5 == expected.hdf5
    found = converted.summary["instances"][0]["transfer_syntax"]
    assert re.match(syntax, found), found
    got = cells_by_source(list(hdf5_to_dicom(converted.hdf5, encoded)))
    for source in sources:
        assert got[str(source.SOPInstanceUID)].tobytes() == source.PixelData


@pytest.mark.parametrize(("encode", "syntax"), ENCODINGS)
@pytest.mark.parametrize(
    ("dtype", "bits_stored"), [("<u1", 8), ("<u2", 12), ("<i2", 12), ("<u2", 16), ("<i2", 16)]
)
def test_all_values_of_a_type_come_back(
    encode: Encode, syntax: str, dtype: str, bits_stored: int, tmp_path: Path
) -> None:
    cells = ramp(dtype, bits_stored)
    sources = make_series(cells, bits_stored=bits_stored)
    encoded = [encode(deepcopy(one), tmp_path) for one in sources]
    got = cells_by_source(list(hdf5_to_dicom(dicom_to_hdf5(encoded).hdf5, encoded)))
    for source, expected in zip(sources, cells, strict=True):
        assert np.array_equal(got[str(source.SOPInstanceUID)], expected)


def test_damaged_compressed_pixels_are_refused(ct: list[FileDataset]) -> None:
    ct[1].PixelData = encapsulate([b"not a code stream "])
    ct[1].file_meta.TransferSyntaxUID = JPEGLSLossless
    with pytest.raises(PixelError, match=f"{ct[1].SOPInstanceUID}.*cannot be decoded from JPEG-LS"):
        dicom_to_hdf5(ct[:3])


def test_an_image_once_compressed_with_loss_goes_on_saying_so() -> None:
    sources = make_series(ramp("<u2", 12), bits_stored=12, LossyImageCompression="01")
    content = dicom_to_hdf5(sources)
    assert content.summary["pixels"]["is_lossy"] is True
    plain = make_series(ramp("<u2", 12), bits_stored=12)
    assert all(one.LossyImageCompression == "01" for one in hdf5_to_dicom(content.hdf5, plain))


def test_overlays_of_a_big_endian_series_come_back_in_their_bits(tmp_path: Path) -> None:
    drawing = bytes(range(180))
    sources = make_series(ramp("<u2", 12), bits_stored=12)
    for one in sources:  # as it lies in a big-endian file
        turned = np.frombuffer(drawing, "<u2").astype(">u2").tobytes()
        one.add_new(0x60003000, "OW", turned)
    encoded = [_big_endian(one, tmp_path) for one in sources]
    for one in hdf5_to_dicom(dicom_to_hdf5(encoded).hdf5, encoded):
        assert one[0x60003000].value == drawing
