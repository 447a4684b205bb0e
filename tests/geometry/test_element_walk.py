"""The walk through encoded elements keeps to its bounds and to what is regular."""

import struct

import pytest

from imaging.instances.element_walk import (
    EXPLICIT_LE,
    IMPLICIT_LE,
    ElementWalk,
    Encoding,
    NotRegularError,
)

EXPLICIT_BE = Encoding(False, False)
EMPTY_ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
END_OF_SEQUENCE = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
NEST = struct.pack("<HHLHHL", 0x0040, 0x0260, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
UNNEST = struct.pack("<HHL", 0xFFFE, 0xE00D, 0) + END_OF_SEQUENCE


def sequence(items: bytes, encoding: Encoding, length: int | None = None) -> bytes:
    """A ProcedureCodeSequence; of defined length where `length` is given."""
    size = 0xFFFFFFFF if length is None else length
    order = "<" if encoding.is_little_endian else ">"
    if encoding.is_implicit:
        return struct.pack(f"{order}HHL", 0x0008, 0x1032, size) + items
    return struct.pack(f"{order}HH2sHL", 0x0008, 0x1032, b"SQ", 0, size) + items


def end_of(content: bytes, encoding: Encoding = EXPLICIT_LE, **more: int | bool) -> int:
    walk = ElementWalk(content, encoding, **more)  # type: ignore[arg-type]  # bounds and switches
    return walk.end_of(walk.element(0))


@pytest.mark.parametrize("encoding", [EXPLICIT_LE, IMPLICIT_LE])
@pytest.mark.parametrize("is_defined", [True, False])
def test_a_sequence_ends_where_its_items_end(encoding: Encoding, is_defined: bool) -> None:
    items = EMPTY_ITEM * 3 + (b"" if is_defined else END_OF_SEQUENCE)
    content = sequence(items, encoding, len(items) if is_defined else None)
    assert end_of(content + b"next", encoding) == len(content)


def test_big_endian_items_are_read_in_their_order() -> None:
    item = struct.pack(">HHL", 0xFFFE, 0xE000, 0)
    content = sequence(item, EXPLICIT_BE, len(item))
    assert end_of(content, EXPLICIT_BE) == len(content)
    with pytest.raises(NotRegularError):
        end_of(sequence(EMPTY_ITEM, EXPLICIT_BE, len(EMPTY_ITEM)), EXPLICIT_BE)


def test_sequences_nest_as_deep_as_the_bound_says_and_no_deeper() -> None:
    content = NEST * 5 + UNNEST * 5
    assert end_of(content, IMPLICIT_LE, deepest=5) == len(content)
    with pytest.raises(NotRegularError):
        end_of(content, IMPLICIT_LE, deepest=4)


def test_thousands_of_nested_sequences_are_refused_and_overflow_no_stack() -> None:
    with pytest.raises(NotRegularError):
        end_of(NEST * 5000 + UNNEST * 5000, IMPLICIT_LE, is_deep=False)


def test_elements_and_items_count_together() -> None:
    content = sequence(EMPTY_ITEM * 10 + END_OF_SEQUENCE, EXPLICIT_LE)
    walk = ElementWalk(content, EXPLICIT_LE)
    walk.end_of(walk.element(0))
    assert walk.count == 12
    with pytest.raises(NotRegularError):
        end_of(NEST * 5 + UNNEST * 5, IMPLICIT_LE, most_elements=3)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x08\0\x05\0??\x00\0", id="unknown VR"),
        pytest.param(b"\x08\0\x05\0LO\x09\0abc", id="longer than its data set"),
        pytest.param(b"\x08\0\x05\0LO\xff", id="cut off in its header"),
        pytest.param(sequence(EMPTY_ITEM, EXPLICIT_LE), id="sequence without an end"),
        pytest.param(sequence(EMPTY_ITEM, EXPLICIT_LE, 9) + b"1", id="a byte after its items"),
    ],
)
def test_what_is_not_regular_is_told_at_once(content: bytes) -> None:
    with pytest.raises((NotRegularError, struct.error)):
        end_of(content)


def test_fragments_end_with_their_delimiter() -> None:
    fragments = EMPTY_ITEM + struct.pack("<HHL", 0xFFFE, 0xE000, 4) + b"abcd" + END_OF_SEQUENCE
    assert ElementWalk(fragments, EXPLICIT_LE).end_of_fragments(0) == len(fragments)
    with pytest.raises(struct.error):
        ElementWalk(fragments[:-8], EXPLICIT_LE).end_of_fragments(0)
