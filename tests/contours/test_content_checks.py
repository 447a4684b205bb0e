"""Masks and texts that do not fit the images are refused before anything is written."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.errors import ContourError
from core.identity import Provenance
from imaging.instances.header import Header
from imaging.rtstruct.writer import Roi, build_structure_set, check_content

Phantom = Callable[..., list[Header]]


def test_mask_that_is_not_bool_is_refused(write_phantom: Phantom) -> None:
    mask: Any = np.zeros((4, 17, 29), dtype=np.uint8)
    with pytest.raises(ContourError, match="uint8, expected bool"):
        check_content(write_phantom(), {"Myo": mask}, [Roi("Myo", (0, 0, 0))], "AUTO")


def test_later_image_of_another_size_is_refused(write_phantom: Phantom) -> None:
    headers = write_phantom()
    headers[3] = replace(headers[3], rows=16)
    mask = np.zeros((4, 17, 29), dtype=bool)
    with pytest.raises(ContourError, match="16 rows and 29 columns, expected 17 and 29"):
        check_content(headers, {"Myo": mask}, [Roi("Myo", (0, 0, 0))], "AUTO")


def test_latin_letter_in_a_set_without_it_is_spelled_in_ascii(
    write_phantom: Phantom, provenance: Provenance
) -> None:
    headers = write_phantom(SpecificCharacterSet=["", "ISO 2022 IR 87"])
    masks = {"Lunge_Ä": np.zeros((4, 17, 29), dtype=bool)}
    rois = [Roi("Lunge_Ä", (0, 0, 0))]
    written = build_structure_set(headers, masks, rois, provenance, label="AUTO")
    assert written.StructureSetROISequence[0].ROIName == "Lunge_A"
