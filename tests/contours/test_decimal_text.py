"""Points become the text that Python's own formatting gives, image by image or all at once."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ContourError
from imaging.contours.decimal_text import as_decimals, as_rows, joined
from imaging.instances.header import Header
from imaging.rtstruct.contour_data import SeriesContours


@pytest.mark.parametrize("decimals", [4, 6])
@given(st.lists(st.floats(-99_999, 99_999), min_size=1, max_size=30))
def test_decimals_are_those_of_python_without_negative_zero(
    decimals: int, numbers: list[float]
) -> None:
    text, lengths = joined([as_decimals(np.array(numbers), decimals)], b"\\")
    expected = [f"{np.round(one, decimals) + 0.0:.{decimals}f}\\" for one in numbers]
    assert text.decode() == "".join(expected)
    assert lengths.tolist() == [len(one) for one in expected]


def test_columns_of_text_are_joined_row_by_row() -> None:
    columns = [as_decimals(np.array([-1.5, 20.0]), 4), as_rows(["", "-7.25"])]
    assert joined(columns, b"\\")[0] == b"-1.5000\\\\20.0000\\-7.25\\"


def test_images_on_planes_of_any_kind_are_written_as_each_alone(ct_headers: list[Header]) -> None:
    turned = (0.6, 0.8, 0.0, 0.0, 0.0, -1.0)
    headers = list(ct_headers[:4])
    headers[1] = replace(headers[1], image_orientation=turned)
    headers[2] = replace(headers[2], pixel_spacing_mm=(0.05, 0.07))
    masks = np.random.default_rng(3).random((4, headers[0].rows, headers[0].columns)) < 0.001
    alone = [
        item
        for header, mask in zip(headers, masks, strict=True)
        for item in SeriesContours([header]).items(mask[np.newaxis])
    ]
    assert list(SeriesContours(headers).items(masks)) == alone


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ContourError, match="not a finite number"):
        as_decimals(np.array([1.0, bad]), 4)
