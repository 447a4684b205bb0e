"""Series that a peer sends again as a whole, to get results once more that it has lost.

Only what a pipeline made is sent: the peer has the images, as it has just sent them.
"""

from sqlalchemy import Connection, select

from core.config.settings import Configuration
from network.which_peer import which_peer
from node.ledger.requests.jobs import JobRow, find_job
from node.ledger.requests.request_jobs import jobs_of_requests
from node.ledger.requests.requests import ASSOCIATION, RUN, Request, requests_of
from node.ledger.row_states import JobState, RequestState
from node.ledger.schema import associations, instances, receptions
from node.ledger.tables.deliveries import send_results_again
from node.ledger.tables.series import instances_of


def answer_resend(
    connection: Connection, configuration: Configuration, request: Request, now: float
) -> str:
    """Send results again that the sender of a new request had before; return how many, in words.

    Empty without `resend_results` of the peer, or if it sent only a part of the series again.
    """
    is_new = request.source == ASSOCIATION and not request.content
    peer = which_peer(configuration.peers, request.sender).peer if is_new else None
    if peer is None or not peer.resend_results:
        return ""
    if not _is_whole(connection, request):
        return ""
    count = 0
    for job_id, peers in _wanted(connection, request, peer.name).items():
        job = find_job(connection, job_id)
        if job is not None and _had_results(job, request):
            uids = [one.sop_instance_uid for one in job.result.instances] if job.result else []
            count += send_results_again(connection, job.job_id, peers, uids=uids, now=now)
    return f"{count} results sent again, as the whole series came again" if count else ""


def _wanted(connection: Connection, request: Request, sender: str) -> dict[str, set[str]]:
    """Return the peers by job: of this request, and the sender of what a person ran on the case."""
    wanted = {
        link.job_id: {one.peer for one in link.destinations}
        for link in jobs_of_requests(connection, [request.key])
    }
    own = requests_of(connection, request.series_instance_uid)
    runs = [one.key for one in own if one.source == RUN and one.state == RequestState.SUBMITTED]
    for link in jobs_of_requests(connection, runs):
        wanted.setdefault(link.job_id, set()).add(sender)
    return wanted


def _had_results(job: JobRow, request: Request) -> bool:
    is_here = job.state == JobState.DONE and job.removed_at is None
    return is_here and (job.finished_at or 0.0) <= request.created_at


def _is_whole(connection: Connection, request: Request) -> bool:
    """True if the associations of the request brought every instance of the series that counts."""
    who = request.sender
    query = (
        select(instances.c.sop_instance_uid)
        .join(receptions, receptions.c.instance_id == instances.c.id)
        .join(associations, associations.c.id == receptions.c.association_id)
        .where(
            instances.c.series_instance_uid == request.series_instance_uid,
            associations.c.calling_ae_title == who.calling_ae_title,
            associations.c.called_ae_title == who.called_ae_title,
            associations.c.address == who.address,
            associations.c.closed_at.between(request.created_at, request.last_at),
        )
    )
    came = set(connection.scalars(query))
    own = instances_of(connection, request.series_instance_uid)
    return {one.sop_instance_uid for one in own if not one.differs} <= came
