"""Refusals are in the node's own words: element, expected, found, way out; no value, no code."""

import random
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.data import get_testdata_files

from core.errors import NotADataSetError, SlicewireError
from imaging.geometry.placement import RULES_3D, place
from imaging.instances.element_words import WAY_OUT
from imaging.instances.frames import read_headers
from imaging.instances.reading_faults import explained
from imaging.pixels.reader import read_frames, read_pixels
from imaging.pixels.same_pixels import same_pixels
from imaging.rtstruct.reader import read_structure_set
from imaging.seg.reader import read_segmentation
from imaging.series.series import check_one_series
from network.scu.outgoing import instance_to_send
from pipeline.conversion import dicom_to_hdf5
from pipeline.conversion_files import read_instances
from tests.support.dicom.canaries import damaged, found_in

CASES = Path(__file__).parents[1] / "cases" / "images"
OF_LIBRARIES = re.compile(
    r"[a-z]Error\b|[a-z]Exception\b|Traceback|pydicom|numpy|gdcm|h5py|python|NoneType|Dataset"
    r"|object has|has no attribute|invalid literal|could not convert|unpack|codec|subscript"
    r"|got exception|[Ww]ith tag|list index|out of range|not enough values|too many values"
    r"|bytes-like|plug-?in|Unable to|[Uu]nexpected|must be|argument|unsupported operand|0x[0-9a-f]"
)
"""What exceptions of Python, pydicom and the decoders say, and no text for a person."""
AN_ELEMENT = re.compile(r"\([0-9A-F]{4},[0-9A-F]{4}\) [A-Z]\w+: expected .*, found ")


def _headers(path: Path) -> None:
    headers = read_headers(path)
    check_one_series(headers)
    place(headers, RULES_3D)


def _converted(path: Path) -> None:
    with explained([path]):
        dicom_to_hdf5(read_instances([path], pixels=True))


READERS: list[Callable[[Path], object]] = [
    _headers,
    read_pixels,
    read_frames,
    read_structure_set,
    read_segmentation,
    instance_to_send,
    lambda path: same_pixels(path, path),
    _converted,
]


def refusals(path: Path) -> Iterator[str]:
    """What each reader says of a file that it does not take."""
    for read in READERS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                read(path)
        except SlicewireError as error:
            yield str(error)


def check_words(words: str, what: str) -> None:
    assert not OF_LIBRARIES.search(words.partition(": ")[2]), (what, words)
    assert not found_in(words), (what, words)
    assert len(words) < 1000, what


def check_canaries(every: int, path: Path) -> None:
    for one in damaged(every):
        path.write_bytes(one.file())
        for words in refusals(path):
            check_words(words, one.name)


def check_cut_and_flipped(contents: list[bytes], times: int, path: Path) -> int:
    """Damage files at random places; answers how many were refused."""
    chosen, told = random.Random(3), 0
    for number in range(times):
        content = bytearray(contents[number % len(contents)])
        for _ in range(chosen.randint(0, 4)):
            content[chosen.randrange(132, len(content))] = chosen.choice(b"\x00\xffQ1")
        if chosen.random() < 0.5:
            del content[chosen.randrange(len(content)) :]
        path.write_bytes(content)
        for words in refusals(path):
            check_words(words, f"damage {number}")
            told += 1
    return told


def test_a_wrong_element_is_refused_without_a_value_or_a_word_of_code(tmp_path: Path) -> None:
    check_canaries(41, tmp_path / "one.dcm")


@pytest.mark.slow
def test_every_wrong_element_is_refused_without_a_value_or_a_word_of_code(tmp_path: Path) -> None:
    check_canaries(1, tmp_path / "one.dcm")


@pytest.mark.slow
def test_odd_files_of_others_are_refused_in_our_own_words() -> None:
    files = [Path(name) for name in get_testdata_files()]
    files += [path for path in CASES.rglob("*") if path.is_file()]
    said = [(path, words) for path in files for words in refusals(path)]
    assert len(said) > 100
    for path, words in said:
        check_words(words, path.name)


@pytest.mark.parametrize("times", [30, pytest.param(600, marks=pytest.mark.slow)])
def test_damaged_files_are_refused_in_our_own_words(times: int, tmp_path: Path) -> None:
    contents = [one.file() for one in damaged(400)]
    assert check_cut_and_flipped(contents, times, tmp_path / "one.dcm") > times


@pytest.mark.parametrize("name", ["name", "several"])
@pytest.mark.parametrize(
    ("tag", "keyword"),
    [
        ("(0008,0018)", "SOPInstanceUID"),
        ("(0020,000E)", "SeriesInstanceUID"),
        ("(0028,0010)", "Rows"),
        ("(0028,0008)", "NumberOfFrames"),
        ("(0020,0013)", "InstanceNumber"),
    ],
)
def test_a_refusal_names_element_expected_found_and_way_out(
    tag: str, keyword: str, name: str, tmp_path: Path
) -> None:
    one = next(damaged(only=f"{tag} {name}"))
    path = tmp_path / "one.dcm"
    path.write_bytes(one.file())
    with pytest.raises(NotADataSetError) as refused:
        read_headers(path)
    words = str(refused.value)
    assert f"{tag} {keyword}: expected " in words
    assert AN_ELEMENT.search(words)
    assert words.endswith(WAY_OUT)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected DICM after a preamble"),
        (b"a text of somebody", "expected DICM after a preamble"),
        (b"\0" * 128 + b"DICM", "(0008,0016) SOPClassUID: expected a UID"),
    ],
)
def test_what_is_no_dicom_file_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(content)
    with pytest.raises(NotADataSetError, match=re.escape(words)):
        read_headers(path)
