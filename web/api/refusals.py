"""What every route may answer besides, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """Why not, in one sentence."""

    msg: str


_WORDS = {
    400: "what was asked for cannot be",
    401: "nobody is signed in",
    403: "the person may not, or the page is not ours",
    404: "there is none",
    405: "unknown method",
    409: "as it stands, that would change nothing",
    413: "too large",
    422: "a value is missing or wrong",
    429: "too many guesses",
    503: "disk or ledger failed",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": words} for status, words in _WORDS.items()
}
