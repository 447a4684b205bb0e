"""The memory that a series takes when it is decoded is known from its headers."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.errors import SeriesError
from imaging.instances.header import Header
from imaging.series.decoded_size import check_decoded_size, decoded_bytes

Stack = Callable[[list[float]], list[Header]]


def test_a_whole_instance_counts_all_of_its_frames_and_a_frame_itself(stack: Stack) -> None:
    [header] = stack([0.0])
    one = decoded_bytes([header])
    assert one == header.rows * header.columns * 4
    assert decoded_bytes([replace(header, number_of_frames=7)]) == 7 * one
    frames = [replace(header, number_of_frames=7, frame_number=n) for n in range(1, 8)]
    assert decoded_bytes(frames) == 7 * one
    assert decoded_bytes([replace(header, samples_per_pixel=3)]) == 3 * one


def test_a_size_that_a_header_claims_is_no_reason_to_allocate_it(stack: Stack) -> None:
    [header] = stack([0.0])
    with pytest.raises(SeriesError, match="take 17180 MB decoded, expected 4096 MB or less"):
        check_decoded_size([replace(header, rows=65535, columns=65535)], 4096)
