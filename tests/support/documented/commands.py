"""Commands that README and the pages of docs/ tell a reader to type."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^ {4,}(.*)$", re.MULTILINE)
_COMMENT = re.compile(r"\s+# .*$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [Block(*found.groups()) for found in _FENCE.finditer(page.read_text())]


def commands(page: Path) -> list[str]:
    """Every line of the page's `sh` blocks, continued ones joined, without comments, in order."""
    texts = [one.text.replace("\\\n", " ") for one in blocks(page) if one.language == "sh"]
    return [_COMMENT.sub("", line) for text in texts for line in text.splitlines() if line]


def indented(page: Path) -> list[str]:
    """Lines that are code because of their indentation, outside of fenced blocks."""
    return _INDENTED.findall(_FENCE.sub("", page.read_text()))


def pages_with_commands() -> list[Path]:
    """The pages on which a reader is told to type something."""
    return [page for page in PAGES if commands(page)]
