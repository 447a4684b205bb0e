"""Series that no rule took are looked at again when the rules change."""

from sqlalchemy import Connection, Exists, exists, select, update

from core.config.settings import Configuration
from node.completion.routing import rules_hash
from node.ledger.requests.releases import judge_again
from node.ledger.row_states import RequestState, SeriesState
from node.ledger.schema import instances, requests, series

_DAY_S = 86400.0


def look_again_at_kept(connection: Connection, configuration: Configuration, now: float) -> int:
    """Let series be judged anew that other rules left; return how many.

    Called at the start and whenever a configuration is taken; with the rules of before it does
    nothing. Series that are older than `completion.look_again_days`, or whose files retention
    removed, stay as they are.
    """
    since = now - configuration.completion.look_again_days * _DAY_S
    removed = exists(
        select(instances.c.id).where(
            instances.c.series_instance_uid == series.c.series_instance_uid,
            instances.c.removed_at.is_not(None),
        )
    )
    left = (
        (requests.c.state == RequestState.KEPT)
        & (requests.c.rules != "")
        & (requests.c.rules != rules_hash(configuration))
        & ~_is_followed_by_another()
    )
    decided = (SeriesState.KEPT, SeriesState.PROCESSING)
    query = (
        select(requests.c.id, requests.c.series_instance_uid)
        .join(series, series.c.series_instance_uid == requests.c.series_instance_uid)
        .where(left, series.c.state.in_(decided), series.c.last_at > since, ~removed)
    )
    rows = connection.execute(query).all()
    for row in rows:
        own = requests.c.id == row.id
        connection.execute(update(requests).where(own).values(state=RequestState.WAITING))
    uids = {row.series_instance_uid for row in rows}
    for uid in uids:
        judge_again(connection, uid, now)
    return len(uids)


def _is_followed_by_another() -> Exists:
    """Match requests with a later one of the same sender, which counts for both."""
    later = requests.alias()
    same = ("series_instance_uid", "calling_ae_title", "called_ae_title", "address")
    is_same = [later.c[name] == requests.c[name] for name in same]
    return exists(
        select(later.c.id).where(later.c.id > requests.c.id, later.c.pipeline == "", *is_same)
    )
