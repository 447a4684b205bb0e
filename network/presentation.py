"""Presentation contexts that the listener accepts: all storage SOP classes and Verification."""

import functools

from pydicom.uid import UID, AllTransferSyntaxes
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.presentation import PresentationContext, build_context

VERIFICATION = "1.2.840.10008.1.1"
_UNCOMPRESSED = (
    "1.2.840.10008.1.2.1",  # Explicit VR Little Endian: keeps private VRs
    "1.2.840.10008.1.2",  # Implicit VR Little Endian
    "1.2.840.10008.1.2.1.99",  # Deflated
    "1.2.840.10008.1.2.2",  # Explicit VR Big Endian
)
_LOSSLESS = (
    "1.2.840.10008.1.2.4.70",  # JPEG Lossless, first-order prediction
    "1.2.840.10008.1.2.4.57",  # JPEG Lossless
    "1.2.840.10008.1.2.4.80",  # JPEG-LS Lossless
    "1.2.840.10008.1.2.4.90",  # JPEG 2000 Lossless
    "1.2.840.10008.1.2.4.201",  # HTJ2K Lossless
    "1.2.840.10008.1.2.4.202",  # HTJ2K Lossless RPCL
    "1.2.840.10008.1.2.4.92",  # JPEG 2000 Part 2 Lossless
    "1.2.840.10008.1.2.5",  # RLE Lossless
)
_DATA_ELSEWHERE = (
    "1.2.840.10008.1.2.4.94",  # JPIP Referenced
    "1.2.840.10008.1.2.4.95",  # JPIP Referenced Deflate
    "1.2.840.10008.1.2.4.204",  # JPIP HTJ2K Referenced
    "1.2.840.10008.1.2.4.205",  # JPIP HTJ2K Referenced Deflate
    "1.2.840.10008.1.2.7.1",  # SMPTE ST 2110: the frames are in another stream
    "1.2.840.10008.1.2.7.2",
    "1.2.840.10008.1.2.7.3",
)


def transfer_syntaxes() -> list[UID]:
    """Supported transfer syntaxes by preference: uncompressed, lossless, lossy.

    Of the syntaxes that a peer proposes in one presentation context the first of these is accepted,
    so that the peer never has to compress lossily. Syntaxes whose pixel data lie outside of the
    data set are not supported.
    """
    preferred = [UID(uid) for uid in (*_UNCOMPRESSED, *_LOSSLESS)]
    others = [uid for uid in AllTransferSyntaxes if uid not in preferred]
    return preferred + [uid for uid in others if uid not in _DATA_ELSEWHERE]


@functools.cache
def _storage_classes() -> frozenset[str]:
    return frozenset(str(one.abstract_syntax) for one in AllStoragePresentationContexts)


def is_storage_class(sop_class_uid: str) -> bool:
    """True if a SOP class belongs to the Storage Service Class (PS3.4 B.5)."""
    return sop_class_uid in _storage_classes()


@functools.cache
def listener_contexts() -> tuple[PresentationContext, ...]:
    """Verification and every storage SOP class, each with its transfer syntaxes."""
    syntaxes: list[str] = [str(uid) for uid in transfer_syntaxes()]
    storage = [
        build_context(context.abstract_syntax, syntaxes)
        for context in AllStoragePresentationContexts
        if context.abstract_syntax is not None
    ]
    return (build_context(VERIFICATION), *storage)
