"""What is written here is read to the pixel: here, and by five readers as far as each one can."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imaging.instances.header import read_header
from imaging.rtstruct.reader import read_structure_set
from imaging.rtstruct.to_masks import to_masks
from tests.readers.answers import Answers, difference
from tests.readers.cases import FORMS, Form, all_cases
from tests.readers.expected import expected
from tests.support.dicom.phantom_files import (
    IMAGES,
    ROI_NAME,
    STRUCTURE_SET,
    Phantom,
    write_phantom,
)

NAMES = [case.name for case in all_cases()]
EXPECTED = expected(NAMES)
FOUR = ["plastimatch", "dcmrtstruct2nii", "platipy", "dicomrttool"]
PEERS = [
    "rt_utils",
    pytest.param("plastimatch", marks=pytest.mark.peer("plastimatch")),
    *FOUR[1:],
]
Ask = Callable[[str, Form], Answers]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_own_reader_gets_every_voxel(form: Form, name: str, tmp_path: Path) -> None:
    phantom = next(case for case in all_cases() if case.name == name).phantom(form)
    assert phantom.mask.any()
    write_phantom(phantom, tmp_path)
    headers = [read_header(path) for path in sorted((tmp_path / IMAGES).glob("*.dcm"))]
    masks, warnings = to_masks(read_structure_set(tmp_path / STRUCTURE_SET), headers)
    assert warnings == []
    assert np.array_equal(masks[ROI_NAME], phantom.mask)


@pytest.mark.parametrize("form", FORMS)
def test_every_phantom_of_the_oblong_form_is_oblong(form: Form) -> None:
    for case in all_cases():
        phantom = case.phantom(form)
        rows, columns = phantom.mask.shape[1:]
        if form == "oblong":
            assert rows != columns
        elif case.name not in ("oblong image", "oblong pixels"):
            assert rows == columns
            assert phantom.spacing_mm[0] == phantom.spacing_mm[1]


@pytest.mark.parametrize("form", FORMS)
def test_the_four_readers_together_read_at_least_73_of_84_cases(form: Form) -> None:
    assert len(NAMES) == len(set(NAMES)) == 21
    assert 4 * 21 - sum(len(EXPECTED[peer][form]) for peer in FOUR) >= 73


@pytest.mark.slow
@pytest.mark.timeout(1800)  # makes the peer's environment where there is none yet
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_reads_to_the_pixel_all_but_its_known_misses(
    peer: str, form: Form, answers_of: Ask, phantoms: dict[Form, list[Phantom]]
) -> None:
    answers = answers_of(peer, form)
    found = {phantom.name: difference(phantom, answers) for phantom in phantoms[form]}
    missed = {name: words for name, words in found.items() if words}
    assert missed.keys() == EXPECTED[peer][form].keys(), missed


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("peer", PEERS)
def test_the_reason_of_each_known_miss_explains_what_was_read(
    peer: str, form: Form, answers_of: Ask, phantoms: dict[Form, list[Phantom]]
) -> None:
    masks = answers_of(peer, form).masks
    for phantom in phantoms[form]:
        reason = EXPECTED[peer][form].get(phantom.name)
        if reason is not None:
            assert reason.explains(phantom, masks[phantom.name]), (phantom.name, reason.words)
