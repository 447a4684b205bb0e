"""Pages as tests look at them."""

import re
from dataclasses import dataclass

import httpx


@dataclass
class Numbers:
    """Cases of the clinic."""

    done: int
    held: int
    failed: int


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def section(text: str, name: str) -> str:
    """The part of a page with this id."""
    start = re.search(rf'<(section|div|ul) id="{name}"', text)
    assert start is not None
    return text[start.start() : text.index(f"</{start[1]}>", start.start())]
