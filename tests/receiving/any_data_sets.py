"""Data sets with elements of all kinds, and ways of writing them that change nothing."""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tests.support.dicom.rewritten import (
    with_group_lengths,
    with_lengths,
    with_private_as_un,
)

CREATOR = "SLICEWIRE TEST"
PRIVATE_FIRST, PRIVATE_LAST = 0x10, 0x14
TEXTS = st.text(st.characters(codec="ascii", categories=("Lu", "Nd", "Zs")), max_size=9)
VALUES: dict[int, tuple[str, st.SearchStrategy[object]]] = {
    0x0008103E: ("LO", TEXTS),
    0x00100010: ("PN", TEXTS),
    0x00104000: ("LT", TEXTS),
    0x00080008: ("CS", st.lists(st.sampled_from(["ORIGINAL", "PRIMARY", "M"]), max_size=3)),
    0x00080018: ("UI", st.sampled_from(["1.2.3", "1.2.34"])),
    0x00200013: ("IS", st.integers(-9999, 9999)),
    0x00280010: ("US", st.integers(0, 65535)),
    0x00280106: ("SS", st.integers(-32768, 32767)),
    0x00189217: ("FD", st.floats(allow_nan=False)),
    0x00720072: ("FL", st.lists(st.floats(width=32, allow_nan=False), max_size=3)),
    0x00720082: ("SV", st.integers(-(2**63), 2**63 - 1)),
    0x00280009: ("AT", st.just(0x00181063)),
    0x00283006: ("OW", st.binary(max_size=10).map(lambda value: value * 2)),
    0x00420011: ("OB", st.binary(max_size=10).map(lambda value: value * 2)),
    0x00720067: ("OF", st.binary(max_size=10).map(lambda value: value * 4)),
}
PRIVATE: list[tuple[str, st.SearchStrategy[object]]] = [
    ("LO", TEXTS),
    ("US", st.integers(0, 65535)),
    ("OB", st.binary(max_size=10).map(lambda value: value * 2)),
]


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 2) -> Dataset:
    """Elements of all kinds, private ones and sequences within sequences."""
    data_set = Dataset()
    for tag in draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6)):
        vr, values = VALUES[tag]
        data_set.add_new(tag, vr, draw(values))
    block = data_set.private_block(0x0019, CREATOR, create=True)
    for offset, (vr, values) in enumerate(PRIVATE):
        if draw(st.booleans()):
            block.add_new(PRIVATE_FIRST + offset, vr, draw(values))
    if depth:
        items = st.lists(data_sets(depth - 1), max_size=2)
        data_set.add_new(0x00081140, "SQ", draw(items))
        block.add_new(PRIVATE_LAST, "SQ", draw(items))
    return data_set


REWRITES: list[Callable[[Dataset], Dataset]] = [
    lambda one: one,
    lambda one: with_lengths(one, sequences=True, items=True),
    lambda one: with_lengths(one, sequences=True, items=False),
    lambda one: with_lengths(one, sequences=False, items=True),
    lambda one: with_lengths(one, sequences=False, items=False),
    with_group_lengths,
    with_private_as_un,
    lambda one: with_private_as_un(with_lengths(one, sequences=False, items=False)),
]
OFTEN = settings(
    max_examples=int(os.environ.get("SLICEWIRE_TEST_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
