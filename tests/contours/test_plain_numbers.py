"""Numbers read many at once are those that `float` gives, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.rtstruct.plain_numbers import plain_numbers, read_numbers

_PLAIN = st.from_regex(r"-?([0-9]{1,8}(\.[0-9]{0,7})?|\.[0-9]{1,8})", fullmatch=True)
_ODD = ["", "-", ".", "-.", "--1", "1-", "1-2", "1.2.3", "+1", "1e3", "nan", "inf", " 1", "1_0"]
_LONG = ["123456789", "0.123456789", "12345678.12345678", "1" * 16]


@given(texts=st.lists(_PLAIN, min_size=1, max_size=40))
def test_plain_numbers_have_the_bits_of_float(texts: list[str]) -> None:
    numbers = plain_numbers("\\".join(texts).encode())
    assert numbers is not None
    assert numbers.tobytes() == np.array([float(text) for text in texts]).tobytes()


@pytest.mark.parametrize("text", _ODD + _LONG)
def test_what_is_not_plain_is_left_to_float(text: str) -> None:
    for at in ("{}", "1\\{}", "{}\\1", "1\\{}\\1"):
        if at.format(text):
            assert plain_numbers(at.format(text).encode()) is None, at


@given(
    texts=st.lists(
        st.lists(st.one_of(_PLAIN, st.sampled_from([" 1", "1e3", "+2 ", *_LONG])), max_size=9)
    )
)
def test_each_text_gets_its_own_numbers(texts: list[list[str]]) -> None:
    found = read_numbers("\\".join(text).encode() for text in texts)
    assert [one.tolist() for one in found] == [[float(one) for one in text] for text in texts]


def test_numbers_of_more_text_than_is_taken_together_come_in_order() -> None:
    rows = [np.arange(start, start + 30_000) / 8 for start in range(0, 5000, 1000)]
    texts = ["\\".join(str(one) for one in row.tolist()).encode() for row in rows]
    assert [one.tolist() for one in read_numbers(texts)] == [row.tolist() for row in rows]


def test_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        list(read_numbers([b"1\\2", b"1\\abc"]))
    with pytest.raises(ValueError, match="underscore"):
        list(read_numbers([b"1\\1_0"]))
