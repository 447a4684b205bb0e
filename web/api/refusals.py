"""Failures that every route may answer, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel


class Refusal(BaseModel):
    """The reason of a failure, in one sentence."""

    msg: str


_WORDS = {
    400: "the request cannot be carried out as it is",
    401: "nobody is signed in",
    403: "the role does not allow it, or the CSRF token is wrong",
    404: "not found",
    405: "method not allowed",
    409: "the command would change nothing in the present state",
    413: "the request is too large",
    422: "a value is missing or wrong",
    429: "too many wrong passwords",
    503: "the disk or the ledger failed",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": words} for status, words in _WORDS.items()
}
