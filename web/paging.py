"""Pages of rows: a limit, and a cursor that says where the next page begins.

A cursor is the key of the last row that was given, so that rows which come meanwhile neither repeat
nor skip any other.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, HTTPException, Query
from pydantic import AwareDatetime, BaseModel

_DEFAULT, _MOST = 50, 200
_LARGEST = 2**31 - 1

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some rows, the latest first."""

    items: list[Item]
    next: str | None = None
    """The cursor of the next page; none: these are the last."""


class Window:
    """Which rows are asked for."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = _DEFAULT,
        cursor: Annotated[str, Query(max_length=400, description="`next` of a page")] = "",
        since: Annotated[AwareDatetime | None, Query(description="nothing older")] = None,
    ) -> None:
        self.limit = limit
        self.cursor = cursor
        self.since = 0.0 if since is None else since.timestamp()

    def after_number(self) -> int:
        """The cursor as the id of a row: smaller ones are asked for.

        Raises:
            HTTPException: 400, it is none of ours.
        """
        values = self._values()
        if values is None:
            return _LARGEST
        if len(values) != 1 or type(values[0]) is not int or not 0 <= values[0] <= _LARGEST:
            raise _not_ours()
        return values[0]

    def after_time(self) -> tuple[float, str] | None:
        """The cursor as the time and key of a row: earlier ones are asked for.

        Raises:
            HTTPException: 400, it is none of ours.
        """
        values = self._values()
        if values is None:
            return None
        if len(values) != 2 or type(values[0]) is not float or type(values[1]) is not str:
            raise _not_ours()
        return values[0], values[1]

    def page(self, items: list[Item], *key: float | str) -> "Page[Item]":
        """The page; `key` is that of the last row."""
        is_last = len(items) < self.limit
        return Page(items=items, next=None if is_last else _cursor(key))

    def _values(self) -> list[Any] | None:
        if not self.cursor:
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii")))
        except (binascii.Error, ValueError, RecursionError) as error:
            raise _not_ours() from error
        if not isinstance(values, list):
            raise _not_ours()
        return values


WindowOf = Annotated[Window, Depends()]


def at(seconds: float | None) -> datetime | None:
    """A time of the ledger as a date."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _cursor(key: Sequence[float | str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode()


def _not_ours() -> HTTPException:
    return HTTPException(400, "cursor: expected `next` of a page")
