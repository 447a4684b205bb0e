"""Releases of associations that peers opened: after all that came before, never within a message.

A peer that releases has said that all was sent (PS3.8 section 7.2), and completion relies on that.
"""

from io import BytesIO
from typing import TYPE_CHECKING, cast

from pynetdicom.acse import ACSE
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import A_RELEASE

from node.ledger.tables.ends import HALF

if TYPE_CHECKING:
    from node.acceptor.upper_layer import BoundedAssociation

_MEDIUM = 0


class BoundedReleases(ACSE):
    """As pynetdicom's, which answers a release whatever is half here or waits."""

    def is_release_requested(self) -> bool:
        """Once what waits is answered; a release in the middle of a message gets an abort."""
        association = cast("BoundedAssociation", self.assoc)
        if not isinstance(self.dul.peek_next_pdu(), A_RELEASE):
            return False
        association.serve_waiting()
        if not super().is_release_requested():
            return False
        if not association.ending.is_noted and association.ending.half:
            association.ending.note(HALF, "which released it in the middle of a message")
            association.dul.violate()
        return not association.ending.is_noted  # else an abort is on its way


def what_it_lacks(request: C_STORE) -> str:
    """What a C-STORE request must say and does not; empty: nothing.

    pynetdicom passes such a request over, so that its instance is neither here nor refused. One
    without a data set has an empty one from here on, and one without a priority the usual one.
    """
    if request.DataSet is None:
        request.DataSet = BytesIO()
    if request.Priority is None:
        request.Priority = _MEDIUM
    needed = ("MessageID", "AffectedSOPClassUID", "AffectedSOPInstanceUID")
    return ", ".join(keyword for keyword in needed if getattr(request, keyword) is None)
