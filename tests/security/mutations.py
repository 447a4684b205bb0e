"""Changes to bytes that parsers of lengths, tags and identifiers stumble over."""

import random
from collections.abc import Sequence

_LENGTHS = (
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\xfe\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x01",
    b"\x01\x00\x00\x00",
    b"\xff\xff",
    b"\x00\x00",
    b"\x00\x01",
)
_PIECES = (
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\xdd\xe0\x00\x00\x00\x00",
    b"\xfe\xff\x0d\xe0\x00\x00\x00\x00",
    b"SQ\x00\x00\xff\xff\xff\xff",
    b"UN\x00\x00\xff\xff\xff\xff",
    b"../../../../tmp/x",
    b"1.2.3/../../..",
    b"%s%n\x00\\",
    b"\x04\x00\x00\x00\x00\x06",
    b"\x20\x00\xff\xff",
    b"\x50\x00\x00\x00",
)


def mutated(generator: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds, changed in one to eight places; now and then nothing but noise."""
    if generator.random() < 0.01:
        return generator.randbytes(generator.randrange(300))
    content = bytearray(generator.choice(seeds))
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        _change(generator, content, seeds)
    return bytes(content)


def _change(generator: random.Random, content: bytearray, seeds: Sequence[bytes]) -> None:
    place = generator.randrange(len(content) + 1)
    generator.choice((_flip, _cut, _overwrite, _insert, _repeat, _splice))(
        generator, content, place, seeds=seeds
    )


def _flip(generator: random.Random, content: bytearray, place: int, **_: object) -> None:
    """A bit or a whole byte."""
    if place < len(content):
        is_bit = generator.random() < 0.5
        content[place] ^= 1 << generator.randrange(8) if is_bit else generator.randrange(1, 256)


def _cut(generator: random.Random, content: bytearray, place: int, **_: object) -> None:
    """Some bytes, or all that follow."""
    del content[place : place + generator.choice((1, 2, 4, 8, 30, len(content)))]


def _overwrite(generator: random.Random, content: bytearray, place: int, **_: object) -> None:
    piece = generator.choice(_LENGTHS + _PIECES)
    content[place : place + len(piece)] = piece


def _insert(generator: random.Random, content: bytearray, place: int, **_: object) -> None:
    content[place:place] = generator.choice(_PIECES)


def _repeat(generator: random.Random, content: bytearray, place: int, **_: object) -> None:
    content[place:place] = content[place : place + generator.choice((4, 8, 40, 200))]


def _splice(
    generator: random.Random, content: bytearray, place: int, *, seeds: Sequence[bytes]
) -> None:
    """The end of another one."""
    other = generator.choice(seeds)
    content[place:] = other[generator.randrange(len(other) + 1) :]
