"""Exceptions of the project; each message is one sentence for a person.

    SlicewireError
    ├── ConfigurationError            a key, flag or value is wrong (exit code 2)
    ├── InstanceError                 one instance cannot be stored as it is
    │   ├── NotADataSetError          its bytes are not a readable DICOM data set
    │   ├── EncodingError             its bytes are not what its transfer syntax says
    │   ├── BeyondBoundsError         it exceeds a limit of the node, as it is or once decoded
    │   └── UidMismatchError          request and data set name different instances
    ├── BoundError                    a peer exceeds a limit of the network connection
    ├── StorageUnavailableError       disk or ledger cannot take an instance
    │   ├── DatabaseAbsentError       no server of the ledger's database answers
    │   └── LaterLedgerError          the ledger is one of a later version
    ├── SeriesError                   a series cannot be processed as it is: the case is held
    │   ├── GeometryError             its slices do not make what the pipeline needs
    │   ├── PixelError                pixels missing, damaged or of an unsupported kind
    │   └── SenderError               its sender fits several configured peers
    ├── HeldError                     a series is held, for one reason or several
    ├── RequestedJobError             a job requested by name cannot be run as requested
    ├── ModelError                    a checkpoint cannot be loaded, or does not fit the series
    ├── LearningDataError             training data are damaged or contradict themselves
    ├── ContourError                  contours cannot be read, written or placed
    ├── SegmentationError             DICOM allows no SEG of such a series, or one cannot be read
    ├── WorkerDiedError               a worker process ended while it ran a job
    ├── EngineUnavailableError        no scheduler is available to run jobs
    ├── OutputError                   a result did not pass the checks before sending
    └── SendError                     a peer cannot be reached, or did not store an instance
        ├── NotOfferedError           a peer does not offer what it was asked for
        └── PeerEndedError            a peer ended an association before it had answered
            └── UnansweredError       ... before it had answered anything at all
                └── SilentError       it kept the association open, and let the time limit pass

A message says what is wrong, which UID, what was expected and found, in which unit; it never
contains a patient's name.
"""

import traceback
from collections.abc import Sequence
from pathlib import Path

from core.hold_reasons import Hold, HoldReason, held_words, hold_for


class SlicewireError(Exception):
    """Base of all exceptions that the project explains in words."""


class ConfigurationError(SlicewireError):
    """A configuration key, command-line flag or value is wrong."""


class InstanceError(SlicewireError):
    """One instance cannot be stored as it is."""


class NotADataSetError(InstanceError):
    """The bytes received are not a readable DICOM data set."""


class EncodingError(InstanceError):
    """A data set, or a part of it, is not encoded as its transfer syntax says."""


class BeyondBoundsError(InstanceError):
    """A data set exceeds a limit of the node, as it is or once inflated or decoded."""


class UidMismatchError(InstanceError):
    """The C-STORE request and its data set name different instances."""


class BoundError(SlicewireError):
    """A peer exceeds a limit of the connection: too long, too slow, or no known PDU or message."""


class StorageUnavailableError(SlicewireError):
    """The disk or the ledger cannot take an instance at present."""


class DatabaseAbsentError(StorageUnavailableError):
    """No server of the ledger's database answers, or one that is starting: later it may."""


class LaterLedgerError(StorageUnavailableError):
    """The ledger was migrated by a later version; this one neither reads nor writes it."""


class SeriesError(SlicewireError):
    """A series cannot be processed as it is, and is held for a person."""

    def __init__(
        self,
        words: str,
        reason: HoldReason = HoldReason.OTHER,
        *,
        helps: str = "",
        releasable: bool | None = None,
    ) -> None:
        """Give `helps` and `releasable` only where they differ from the reason's defaults."""
        super().__init__(words)
        self.hold = hold_for(reason, words, helps=helps, releasable=releasable)


class HeldError(SlicewireError):
    """A series is held, for one or several reasons; the message says what a person can do."""

    def __init__(self, holds: Sequence[Hold], *, is_releasable: bool) -> None:
        super().__init__(held_words(holds, is_releasable=is_releasable))
        self.holds, self.is_releasable = tuple(holds), is_releasable


class GeometryError(SeriesError):
    """The slices of a series do not make what the pipeline needs."""


class PixelError(SeriesError):
    """Pixels are missing, damaged or of a kind that is not supported."""


class SenderError(SeriesError):
    """A sender fits several configured peers, so that none can be chosen."""


class RequestedJobError(SlicewireError):
    """A job requested by name cannot be run as requested."""


class ModelError(SlicewireError):
    """A checkpoint cannot be loaded, or does not fit the series."""


class LearningDataError(SlicewireError):
    """Training data are damaged, of an unexpected kind, or contradict themselves."""


class ContourError(SlicewireError):
    """Contours cannot be read, written or placed on their images."""


class SegmentationError(SlicewireError):
    """DICOM allows no segmentation of such a series, or one cannot be read."""


class WorkerDiedError(SlicewireError):
    """A worker process ended, by a crash or a kill, while it ran a job."""


class EngineUnavailableError(SlicewireError):
    """No scheduler is available to run jobs; the job itself is not at fault."""


class OutputError(SlicewireError):
    """A result did not pass the checks before sending."""


class SendError(SlicewireError):
    """A peer cannot be reached, or did not store an instance."""


class NotOfferedError(SendError):
    """A peer accepts the association, but none of the proposed presentation contexts."""


class PeerEndedError(SendError):
    """A peer aborted an association, or closed its connection, before it had answered."""


class UnansweredError(PeerEndedError):
    """A peer ended an association before any answer, or rejected it without a reason.

    It may not stand something that the association request offers.
    """


class SilentError(UnansweredError):
    """A peer neither answered anything within its time limit, nor ended the association."""


def hold_of(error: SlicewireError) -> Hold:
    """Return the hold for `error`; errors other than SeriesError are to be fixed at the node."""
    return error.hold if isinstance(error, SeriesError) else hold_for(HoldReason.NODE, str(error))


def explain_fault(error: BaseException) -> str:
    """Name type and source line of an unforeseen error; its message could quote patient data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"unforeseen error {type(error).__name__}{place}"
