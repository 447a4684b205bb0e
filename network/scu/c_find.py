"""Asking a peer by C-FIND what it has of a series (PS3.4 Annex C, Study Root)."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress

from pydicom.dataset import Dataset
from pynetdicom import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
)

from core.config.routing import Peer
from core.errors import SendError
from network.scu.addresses import address_for_queries
from network.scu.association import Conversation, PeerAddress, Timeouts, associate
from network.statuses import words_of

_PENDING = (0xFF00, 0xFF01)
_SUCCESS = 0x0000
_ALL_WITHIN_S = 120.0
_TIMEOUTS = Timeouts(connect_s=5.0, associate_s=10.0, response_s=20.0)


def count_instances(
    peer: Peer,
    calling_ae_title: str,
    *,
    study_instance_uid: str,
    series_instance_uid: str,
    timeouts: Timeouts = _TIMEOUTS,
) -> int | None:
    """How many instances `peer` has of a series; None when it does not know the series.

    The number comes from NumberOfSeriesRelatedInstances; where the peer does not fill that in, its
    instances are counted.

    Raises:
        SendError: it cannot be asked, or does not answer, with the reason in words.
    """
    address = address_for_queries(peer)
    with _asking(address, calling_ae_title, timeouts) as conversation:
        query = _series_query(study_instance_uid, series_instance_uid)
        query.NumberOfSeriesRelatedInstances = ""
        found = [
            one
            for one in _find(conversation, query)
            if one.get("SeriesInstanceUID", series_instance_uid) == series_instance_uid
        ]
        if not found:
            return None
        with suppress(AttributeError, TypeError, ValueError):
            return int(found[0].NumberOfSeriesRelatedInstances)
        return len(_instances(conversation, study_instance_uid, series_instance_uid))


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
        SendError: it cannot be asked, or does not answer, with the reason in words.
    """
    with _asking(peer, calling_ae_title, timeouts) as conversation:
        return _instances(conversation, study_instance_uid, series_instance_uid)


def _asking(
    peer: PeerAddress, calling_ae_title: str, timeouts: Timeouts
) -> AbstractContextManager[Conversation]:
    context = build_context(StudyRootQueryRetrieveInformationModelFind)
    return associate(peer, calling_ae_title, [context], timeouts)


def _series_query(study_instance_uid: str, series_instance_uid: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    query.StudyInstanceUID = study_instance_uid
    query.SeriesInstanceUID = series_instance_uid
    return query


def _instances(
    conversation: Conversation, study_instance_uid: str, series_instance_uid: str
) -> set[str]:
    query = _series_query(study_instance_uid, series_instance_uid)
    query.QueryRetrieveLevel = "IMAGE"
    query.SOPInstanceUID = ""
    return {str(one.get("SOPInstanceUID", "")) for one in _find(conversation, query)} - {""}


def _find(conversation: Conversation, query: Dataset) -> Iterator[Dataset]:
    """Every match; the last status must be success."""
    end = time.monotonic() + _ALL_WITHIN_S
    try:
        answers = conversation.association.send_c_find(
            query, StudyRootQueryRetrieveInformationModelFind
        )
        for status, match in answers:
            if time.monotonic() > end:
                raise SendError(
                    f"{conversation.peer} did not end its answers in {_ALL_WITHIN_S:g} s"
                )
            if "Status" not in status:
                raise SendError(f"{conversation.peer} ended the association during C-FIND")
            if status.Status in _PENDING:
                if match is not None:
                    yield match
            elif status.Status != _SUCCESS:
                raise SendError(
                    f"{conversation.peer} answered C-FIND with {words_of(status.Status)}"
                )
    except (RuntimeError, ValueError) as error:
        raise SendError(f"{conversation.peer} does not answer C-FIND") from error
