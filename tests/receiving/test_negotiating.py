"""The listener takes every storage class in every syntax that carries its data itself."""

import pytest
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import AE, AllStoragePresentationContexts, build_context

from tests.support.peers import CT
from tests.support.receiver import Receiver


def accepted(receiver: Receiver, proposals: list[tuple[str, list[str]]]) -> list[tuple[str, str]]:
    """SOP class and transfer syntax of every accepted context."""
    entity = AE(ae_title="TPS")
    contexts = [build_context(sop_class, syntaxes) for sop_class, syntaxes in proposals]
    association = entity.associate(*receiver.address, contexts=contexts)
    found = [
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for context in association.accepted_contexts
    ]
    association.release()
    return found


def test_c_echo_is_answered(receiver: Receiver) -> None:
    entity = AE(ae_title="TPS")
    entity.add_requested_context("1.2.840.10008.1.1")
    association = entity.associate(*receiver.address)
    assert association.send_c_echo().Status == 0
    association.release()


def test_every_storage_class_is_accepted(receiver: Receiver) -> None:
    classes = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
    found: set[str] = set()
    for start in range(0, len(classes), 128):
        part = classes[start : start + 128]
        proposals = [(one, [str(ImplicitVRLittleEndian)]) for one in part]
        found |= {sop_class for sop_class, _ in accepted(receiver, proposals)}
    assert found == set(classes)


def test_every_syntax_but_those_with_the_data_elsewhere_is_accepted(receiver: Receiver) -> None:
    elsewhere = {uid for uid in AllTransferSyntaxes if "JPIP" in uid.name or "SMPTE" in uid.name}
    assert elsewhere
    proposals = [(CT, [str(syntax)]) for syntax in AllTransferSyntaxes]
    found = {UID(syntax) for _, syntax in accepted(receiver, proposals)}
    assert found == set(AllTransferSyntaxes) - elsewhere


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([JPEGBaseline8Bit, JPEGLosslessSV1], JPEGLosslessSV1),
        ([JPEGLSNearLossless, RLELossless], RLELossless),
        ([JPEGBaseline8Bit, JPEG2000Lossless, ImplicitVRLittleEndian], ImplicitVRLittleEndian),
        ([JPEGBaseline8Bit], JPEGBaseline8Bit),
    ],
)
def test_lossless_is_preferred_wherever_it_is_offered(
    receiver: Receiver, offered: list[UID], chosen: UID
) -> None:
    assert accepted(receiver, [(CT, [str(uid) for uid in offered])]) == [(CT, str(chosen))]
