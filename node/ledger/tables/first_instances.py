"""Fast insertion of instances that the ledger does not know yet, thousands per second.

Statements are built once, as building one in SQLAlchemy takes longer than running it.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, insert, select, update
from sqlalchemy.sql.expression import Executable

from core.priority import Priority
from node.ledger.schema import instances, receptions, series
from node.ledger.tables.instances import StoredInstance, arriving, touch_series


class _Statement:
    """A statement compiled for the driver of its database."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # it has
        self._text = str(compiled)
        self._order: list[str] = compiled.positiontup or []
        self._is_sqlite = dialect.name == "sqlite"

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Execute the statement with values by name; return the cursor.

        SQLite's driver is called directly, as SQLAlchemy takes longer than the query itself.
        """
        if not self._is_sqlite:
            return connection.exec_driver_sql(self._text, dict(values))
        driver: Any = connection.connection.driver_connection
        return driver.execute(self._text, [values[name] for name in self._order])


class FirstInstances:
    """Records instances whose SOP Instance UID is new to the ledger."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def record(
        self,
        connection: Connection,
        instance: StoredInstance,
        association: int,
        now: float,
        *,
        priority: Priority = Priority.MEDIUM,
    ) -> bool:
        """Record an instance and its reception; False if its SOP Instance UID is known already."""
        values = {name: getattr(instance, name) for name in instance.__slots__}
        if self._find.run(connection, values).fetchall():
            return False
        [(key,)] = self._insert.run(connection, values | {"received_at": now}).fetchall()
        received = {"association_id": association, "instance_id": key, "priority": int(priority)}
        self._receive.run(connection, received)
        touched = arriving(now) | {"uid": instance.series_instance_uid}
        if not self._touch.run(connection, touched).rowcount:
            touch_series(connection, instance, association, now)
        return True

    @cached_property
    def _find(self) -> _Statement:
        uid = instances.c.sop_instance_uid
        return self._made(select(instances.c.id).where(uid == bindparam("sop_instance_uid")))

    @cached_property
    def _insert(self) -> _Statement:
        names = (*StoredInstance.__slots__, "received_at")
        values = {name: bindparam(name, type_=instances.c[name].type) for name in names}
        return self._made(insert(instances).values(**values).returning(instances.c.id))

    @cached_property
    def _receive(self) -> _Statement:
        names = ("association_id", "instance_id", "priority")
        return self._made(insert(receptions).values(**{name: bindparam(name) for name in names}))

    @cached_property
    def _touch(self) -> _Statement:
        """Statement of `touch_series` for a known series."""
        values: dict[str, Any] = {name: bindparam(name) for name in arriving(0.0)}
        of_series = series.c.series_instance_uid == bindparam("uid")
        return self._made(update(series).where(of_series).values(**values))

    def _made(self, statement: Executable) -> _Statement:
        return _Statement(statement, self._dialect)
