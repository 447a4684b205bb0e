"""Pages of rows: a limit, and a cursor that says where the next page begins.

A cursor is the key of the last row of a page, so that rows that are added meanwhile neither repeat
nor hide any other.
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
    """One page of rows, the latest first."""

    items: list[Item]
    next: str | None = None
    """The cursor of the next page; null on the last page."""


class Window:
    """The part of the rows that a request asks for."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = _DEFAULT,
        cursor: Annotated[str, Query(max_length=400, description="`next` of the page before")] = "",
        since: Annotated[
            AwareDatetime | None, Query(description="only what is as late as this time or later")
        ] = None,
    ) -> None:
        self.limit = limit
        self.cursor = cursor
        self.since = 0.0 if since is None else since.timestamp()

    def after_number(self) -> int:
        """The cursor as the id of a row; the page has rows with smaller ids.

        Raises:
            HTTPException: 400, the cursor is not one of these pages.
        """
        values = self._values()
        if values is None:
            return _LARGEST
        if len(values) != 1 or type(values[0]) is not int or not 0 <= values[0] <= _LARGEST:
            raise _wrong_cursor()
        return values[0]

    def after_time(self) -> tuple[float, str] | None:
        """The cursor as the time and key of a row; the page has earlier rows.

        Raises:
            HTTPException: 400, the cursor is not one of these pages.
        """
        values = self._values()
        if values is None:
            return None
        if len(values) != 2 or type(values[0]) is not float or type(values[1]) is not str:
            raise _wrong_cursor()
        return values[0], values[1]

    def page(self, items: list[Item], *key: float | str) -> "Page[Item]":
        """Build the page of `items`; `key` is the key of the last one."""
        is_last = len(items) < self.limit
        return Page(items=items, next=None if is_last else _cursor(key))

    def _values(self) -> list[Any] | None:
        if not self.cursor:
            return None
        try:
            values = json.loads(base64.urlsafe_b64decode(self.cursor.encode("ascii")))
        except (binascii.Error, ValueError, RecursionError) as error:
            raise _wrong_cursor() from error
        if not isinstance(values, list):
            raise _wrong_cursor()
        return values


WindowOf = Annotated[Window, Depends()]


def at(seconds: float | None) -> datetime | None:
    """Convert seconds since 1970 to a date and time in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _cursor(key: Sequence[float | str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode()


def _wrong_cursor() -> HTTPException:
    return HTTPException(400, "cursor: expected `next` of a page")
