"""Whatever integers a grey image may hold come back, for every type and any unused bits."""

import io
from typing import Any

import h5py
import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from imaging.hdf5.restored_frame import decimal_text
from pipeline.conversion import dicom_to_hdf5, hdf5_to_dicom
from tests.support.dicom.synthetic import make_series

Case = tuple[Any, int]
_QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Cells [slice, row, column] of 8, 16 or 32 bits, and how many of them are stored."""
    allocated = draw(st.sampled_from([8, 16, 32]))
    stored = draw(st.integers(max(1, allocated // 2), allocated))
    kind = draw(st.sampled_from("iu"))
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    cells = draw(arrays(f"<{kind}{allocated // 8}", shape))
    return cells, stored


@given(cases(), st.booleans())
@_QUICK
def test_every_cell_comes_back_with_its_unused_bits(case: Case, alone: bool) -> None:
    cells, bits_stored = case
    sources = make_series(cells, bits_stored=bits_stored)
    content = dicom_to_hdf5(sources[::-1]).hdf5
    restored = list(hdf5_to_dicom(content, sources[:1] if alone else sources))
    assert [one.PixelData for one in restored] == [one.PixelData for one in sources]
    for one in restored:
        assert (one.BitsStored, one.HighBit) == (bits_stored, bits_stored - 1)
        assert one.PixelRepresentation == int(cells.dtype.kind == "i")


@given(cases(), st.floats(1e-4, 100), st.floats(-5000, 5000))
@_QUICK
def test_voxels_are_stored_values_rescaled_in_double_precision(
    case: Case, slope: float, intercept: float
) -> None:
    cells, bits_stored = case
    texts = {"RescaleSlope": decimal_text(slope), "RescaleIntercept": decimal_text(intercept)}
    sources = make_series(cells, bits_stored=bits_stored, **texts)
    with h5py.File(io.BytesIO(dicom_to_hdf5(sources).hdf5)) as file:
        stored, voxels = file["stored/values"][()], file["voxels"][()]
        slopes, intercepts = (file[f"stored/rescale_{n}"][()] for n in ("slopes", "intercepts"))
    unused = 8 * cells.itemsize - bits_stored
    assert np.array_equal(stored, (cells << unused) >> unused)
    assert set(slopes) == {float(texts["RescaleSlope"])}
    exact = stored * slopes[:, None, None] + intercepts[:, None, None]
    assert np.array_equal(voxels, exact.astype(np.float32))


def _is_short_enough(text: str) -> bool:
    """A DS has at most 16 characters (PS3.5 section 6.2); not every longer number is one, too."""
    return len(text) <= 16


@given(st.from_regex(r"\A-?[0-9]{1,9}(\.[0-9]{1,5})?(E-?[0-9])?\Z").filter(_is_short_enough))
@example("-1000000.00001E7")
@example("100000000.0001E9")
def test_a_decimal_string_comes_back_as_the_same_number(text: str) -> None:
    again = decimal_text(float(text))
    assert len(again) <= 16
    assert float(again) == float(text)
