"""Query a peer by C-FIND for the instances of a series (PS3.4 Annex C, Study Root)."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress

from pydicom.dataset import Dataset
from pynetdicom import build_context

from core.config.routing import Peer
from core.errors import SendError
from imaging.instances.read_errors import BROKEN
from network.optional_items import OptionalItem
from network.scu.addresses import address_for_queries
from network.scu.association import PeerAddress, Timeouts, associate
from network.scu.dialogue import Dialogue
from network.scu.leaving_out import with_less
from network.statuses import words_of
from network.upper_layer.association import decode_data_set
from network.upper_layer.dimse import AFFECTED_CLASS, C_FIND_RQ, FIELD, PRIORITY, SUCCESS, Values
from network.upper_layer.messages import Message

_PENDING = (0xFF00, 0xFF01)
_STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
"""Study Root Query/Retrieve Information Model - FIND."""
_LOW_PRIORITY = 2
_ALL_WITHIN_S = 120.0
_OFFERED = (OptionalItem.VERSION,)
_TIMEOUTS = Timeouts(connect_s=5.0, associate_s=10.0, response_s=20.0)


def count_instances(
    peer: Peer,
    calling_ae_title: str,
    *,
    study_instance_uid: str,
    series_instance_uid: str,
    timeouts: Timeouts = _TIMEOUTS,
) -> int | None:
    """Number of instances that `peer` has of a series; None if it does not know the series.

    The number is NumberOfSeriesRelatedInstances; if the peer does not return it, the instances are
    queried and counted.

    Raises:
        SendError: the peer cannot be queried, with the reason in words.
    """

    def count(address: PeerAddress, _: object) -> int | None:
        with _associated(address, calling_ae_title, timeouts) as dialogue:
            return _count(dialogue, study_instance_uid, series_instance_uid)

    return with_less(address_for_queries(peer), _OFFERED, count)


def _count(dialogue: Dialogue, study_instance_uid: str, series_instance_uid: str) -> int | None:
    query = _series_query(study_instance_uid, series_instance_uid)
    query.NumberOfSeriesRelatedInstances = ""
    found = [
        one
        for one in _find(dialogue, query)
        if one.get("SeriesInstanceUID", series_instance_uid) == series_instance_uid
    ]
    if not found:
        return None
    with suppress(AttributeError, TypeError, ValueError):
        return int(found[0].NumberOfSeriesRelatedInstances)
    return len(_instances(dialogue, study_instance_uid, series_instance_uid))


def found_instances(
    peer: PeerAddress,
    calling_ae_title: str,
    *,
    study_instance_uid: str,
    series_instance_uid: str,
    timeouts: Timeouts = _TIMEOUTS,
) -> set[str]:
    """SOP Instance UIDs that `peer` has of a series.

    Raises:
        SendError: the peer cannot be queried, with the reason in words.
    """

    def find(address: PeerAddress, _: object) -> set[str]:
        with _associated(address, calling_ae_title, timeouts) as dialogue:
            return _instances(dialogue, study_instance_uid, series_instance_uid)

    return with_less(peer, _OFFERED, find)


def _associated(
    peer: PeerAddress, calling_ae_title: str, timeouts: Timeouts
) -> AbstractContextManager[Dialogue]:
    context = build_context(_STUDY_ROOT)
    return associate(peer, calling_ae_title, [context], timeouts)


def _series_query(study_instance_uid: str, series_instance_uid: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    query.StudyInstanceUID = study_instance_uid
    query.SeriesInstanceUID = series_instance_uid
    return query


def _instances(dialogue: Dialogue, study_instance_uid: str, series_instance_uid: str) -> set[str]:
    query = _series_query(study_instance_uid, series_instance_uid)
    query.QueryRetrieveLevel = "IMAGE"
    query.SOPInstanceUID = ""
    return {str(one.get("SOPInstanceUID", "")) for one in _find(dialogue, query)} - {""}


def _find(dialogue: Dialogue, query: Dataset) -> Iterator[Dataset]:
    """Every match; raises SendError unless the last status is success."""
    end, peer = time.monotonic() + _ALL_WITHIN_S, dialogue.peer
    context = dialogue.context_of(_STUDY_ROOT)
    values: Values = {AFFECTED_CLASS: _STUDY_ROOT, FIELD: C_FIND_RQ, PRIORITY: _LOW_PRIORITY}
    for answer in dialogue.ask_for_all(context, values, query):
        if time.monotonic() > end:
            raise SendError(f"{peer} did not end its answers in {_ALL_WITHIN_S:g} s")
        status = answer.command.status
        if status == SUCCESS:
            return
        if status not in _PENDING:
            words = "no status" if status is None else words_of(status)
            raise SendError(f"{peer} answered C-FIND with {words}")
        if answer.data_set is not None:
            yield _match(answer, peer)


def _match(answer: Message, peer: PeerAddress) -> Dataset:
    try:
        return decode_data_set(answer.content, answer.context)
    except BROKEN as error:
        raise SendError(f"{peer} answered C-FIND with a data set that cannot be read") from error
