"""Presentation contexts that the listener accepts: all storage SOP classes and Verification."""

import functools
from collections.abc import Sequence

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
_RETIRED_STORAGE = (  # of systems that are older than their successors (PS3.4 2004 and before)
    "1.2.840.10008.5.1.1.27",  # Stored Print
    "1.2.840.10008.5.1.1.29",  # Hardcopy Grayscale Image
    "1.2.840.10008.5.1.1.30",  # Hardcopy Color Image
    "1.2.840.10008.5.1.4.1.1.3",  # Ultrasound Multi-frame Image
    "1.2.840.10008.5.1.4.1.1.5",  # Nuclear Medicine Image
    "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound Image
    "1.2.840.10008.5.1.4.1.1.8",  # Standalone Overlay
    "1.2.840.10008.5.1.4.1.1.9",  # Standalone Curve
    "1.2.840.10008.5.1.4.1.1.9.1",  # Waveform - Trial
    "1.2.840.10008.5.1.4.1.1.10",  # Standalone Modality LUT
    "1.2.840.10008.5.1.4.1.1.11",  # Standalone VOI LUT
    "1.2.840.10008.5.1.4.1.1.12.3",  # X-Ray Angiographic Bi-Plane Image
    "1.2.840.10008.5.1.4.1.1.77.1",  # VL Image - Trial
    "1.2.840.10008.5.1.4.1.1.77.2",  # VL Multi-frame Image - Trial
    "1.2.840.10008.5.1.4.1.1.88.1",  # Text SR - Trial
    "1.2.840.10008.5.1.4.1.1.88.2",  # Audio SR - Trial
    "1.2.840.10008.5.1.4.1.1.88.3",  # Detail SR - Trial
    "1.2.840.10008.5.1.4.1.1.88.4",  # Comprehensive SR - Trial
    "1.2.840.10008.5.1.4.1.1.129",  # Standalone PET Curve
    "1.2.840.10008.5.1.4.34.1",  # RT Beams Delivery Instruction - Trial
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


def storage_classes(private: Sequence[str] = ()) -> frozenset[str]:
    """SOP classes whose instances are stored: the standard's (PS3.4 B.5), retired and private ones.

    `private` are UIDs that the configuration names.
    """
    current = {str(one.abstract_syntax) for one in AllStoragePresentationContexts}
    return frozenset(current.union(_RETIRED_STORAGE, private))


@functools.cache
def listener_contexts(private: tuple[str, ...] = ()) -> tuple[PresentationContext, ...]:
    """Verification and every class of `storage_classes`, each with its transfer syntaxes."""
    syntaxes: list[str] = [str(uid) for uid in transfer_syntaxes()]
    storage = [build_context(uid, syntaxes) for uid in sorted(storage_classes(private))]
    return (build_context(VERIFICATION), *storage)
