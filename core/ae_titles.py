"""Application entity titles (PS3.5 Table 6.2-1, VR AE)."""

import re

EXPECTED = "1 to 16 printable characters without a backslash"
_AE_TITLE = re.compile(r"[ -\[\]-~]{1,16}")


def parse_ae_title(text: str) -> str:
    """Return `text` without leading and trailing spaces, which are not significant.

    Raises:
        ValueError: `text` is not an AE title; the message says what was expected.
    """
    title = text.strip()
    if _AE_TITLE.fullmatch(title) is None:
        raise ValueError(EXPECTED)
    return title
