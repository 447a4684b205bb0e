"""Failures as values with words.

    SlicewireError
    ├── ConfigurationError            a key, flag or value is wrong (exit code 2)
    ├── InstanceError                 one instance cannot be stored as it is
    │   ├── NotADataSetError          its bytes are not a readable DICOM data set
    │   ├── EncodingError             its bytes are not what its transfer syntax says
    │   ├── BeyondBoundsError         it is, or would become, more than the node takes
    │   └── UidMismatchError          request and data set name different instances
    ├── BoundError                    a peer goes beyond what the node takes
    ├── StorageUnavailableError       disk or ledger cannot take an instance
    ├── SeriesError                   a series cannot be processed as it is: the case is held
    │   ├── GeometryError             its slices do not make what the pipeline needs
    │   ├── PixelError                pixels missing, damaged or of an unsupported kind
    │   └── SenderError               which peer sent it, and gets its results, cannot be told
    ├── HeldError                     a series is held, for one reason or several
    ├── OrderError                    a job that was asked for by name cannot be done as asked
    ├── ModelError                    a checkpoint cannot be loaded, or does not fit the series
    ├── LearningDataError             what a model is to learn from is damaged or contradicts itself
    ├── ContourError                  contours cannot be read, written or placed
    ├── SegmentationError             DICOM has none of such a series, or it cannot be read
    ├── WorkerDiedError               a worker process ended while it ran a job
    ├── EngineUnavailableError        there is no scheduler to give a job to
    ├── OutputError                   a result did not pass the checks before sending
    └── SendError                     a peer cannot be reached, or did not store an instance
        └── NotOfferedError           a peer does not offer what it was asked for

A message is one sentence: what, which UID, expected, found, unit; never a patient's name.
"""

import traceback
from collections.abc import Sequence
from pathlib import Path

from core.hold_reasons import Hold, HoldReason, held_words, hold_for


class SlicewireError(Exception):
    """Root of every failure that the project explains in words."""


class ConfigurationError(SlicewireError):
    """A configuration key, command-line flag or value is wrong."""


class InstanceError(SlicewireError):
    """One instance cannot be stored as it is."""


class NotADataSetError(InstanceError):
    """The bytes received are not a readable DICOM data set."""


class EncodingError(InstanceError):
    """A data set, or a part of it, is encoded otherwise than its transfer syntax says."""


class BeyondBoundsError(InstanceError):
    """A data set is, or would become, more than the node takes."""


class UidMismatchError(InstanceError):
    """The C-STORE request and its data set name different instances."""


class BoundError(SlicewireError):
    """A peer goes beyond a bound of the wire: too long, too slow, or nothing that is known."""


class StorageUnavailableError(SlicewireError):
    """The disk or the ledger cannot take an instance at present."""


class SeriesError(SlicewireError):
    """A series cannot be processed as it is; a person decides, where that helps."""

    def __init__(
        self,
        words: str,
        reason: HoldReason = HoldReason.OTHER,
        *,
        helps: str = "",
        releasable: bool | None = None,
    ) -> None:
        """`helps` and `releasable` where they are not the reason's usual ones."""
        super().__init__(words)
        self.hold = hold_for(reason, words, helps=helps, releasable=releasable)


class HeldError(SlicewireError):
    """A series is held, for one reason or several, and what a person can do about it."""

    def __init__(self, holds: Sequence[Hold], *, is_releasable: bool) -> None:
        super().__init__(held_words(holds, is_releasable=is_releasable))
        self.holds, self.is_releasable = tuple(holds), is_releasable


class GeometryError(SeriesError):
    """The slices of a series do not make what the pipeline needs."""


class PixelError(SeriesError):
    """Pixels are missing, damaged or of a kind that is not supported."""


class SenderError(SeriesError):
    """Which configured peer a sender is cannot be told."""


class RequestedJobError(SlicewireError):
    """A job that was asked for by name cannot be done as it was asked for."""


class ModelError(SlicewireError):
    """A checkpoint cannot be loaded, or does not fit the series."""


class LearningDataError(SlicewireError):
    """What a model is to learn from is damaged, of another kind, or contradicts itself."""


class ContourError(SlicewireError):
    """Contours cannot be read, written or placed on their images."""


class SegmentationError(SlicewireError):
    """DICOM has no segmentation of such a series, or one cannot be read."""


class WorkerDiedError(SlicewireError):
    """A worker process ended, by a crash or a kill, while it ran a job."""


class EngineUnavailableError(SlicewireError):
    """There is no scheduler to give a job to; the job itself is not at fault."""


class OutputError(SlicewireError):
    """A result did not pass the checks before sending."""


class SendError(SlicewireError):
    """A peer cannot be reached, or did not store an instance."""


class NotOfferedError(SendError):
    """A peer takes associations, but accepts none of the presentation contexts proposed."""


def hold_of(error: SlicewireError) -> Hold:
    """Why `error` holds a series; what is not the series' own fault is put right at the node."""
    return error.hold if isinstance(error, SeriesError) else hold_for(HoldReason.NODE, str(error))


def explain_fault(error: BaseException) -> str:
    """Type and place of an unforeseen error; its own message could quote patient data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"unforeseen error {type(error).__name__}{place}"
