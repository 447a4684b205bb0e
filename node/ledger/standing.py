"""Which series may stand at a state that a person names, found through the ledger's indexes."""

from sqlalchemy import ColumnElement, exists, select

from node.ledger.deliveries import CANCELLED, GIVEN_UP, HELD, REFUSED, WAITING
from node.ledger.jobs import DONE, FAILED, QUEUED, RUNNING
from node.ledger.schema import deliveries, jobs, series
from node.ledger.series import PROCESSING

SENDING, DELIVERED = "sending", "delivered"
_UNDELIVERED = (WAITING, REFUSED, GIVEN_UP, CANCELLED)


def may_stand_at(state: str) -> ColumnElement[bool]:
    """What rows of `series` fit; a superset, as the latest job that counts decides.

    Rare states are looked up; of the common ones, done and delivered, the latest are probed.
    """
    processing = series.c.state == PROCESSING
    own_jobs = jobs.c.series_instance_uid == series.c.series_instance_uid
    if state in (DONE, DELIVERED):
        return processing & exists(select(jobs.c.job_id).where(own_jobs, jobs.c.state == DONE))
    if state == SENDING:
        unsent = select(deliveries.c.job_id).where(deliveries.c.state.in_(_UNDELIVERED))
        return processing & _with_jobs(jobs.c.job_id.in_(unsent))
    if state in (QUEUED, RUNNING, FAILED):
        return processing & _with_jobs(jobs.c.state == state)
    if state == HELD:
        kept = select(deliveries.c.job_id).where(deliveries.c.state == HELD)
        return (series.c.state == HELD) | (processing & _with_jobs(jobs.c.job_id.in_(kept)))
    return (series.c.state == state) | (processing & _with_jobs(jobs.c.state == state))


def _with_jobs(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Uncorrelated: found from the few jobs, not asked of every series."""
    return series.c.series_instance_uid.in_(select(jobs.c.series_instance_uid).where(condition))
