"""What a peer made of the phantoms."""

from dataclasses import dataclass

import numpy as np

from tests.readers.masks import Mask
from tests.support.dicom.phantom_files import Phantom


@dataclass(frozen=True, slots=True)
class Answers:
    """One peer's, to the cases of one form."""

    masks: dict[str, Mask]
    failures: dict[str, str]
    """Case to the words of its exception."""


def difference(phantom: Phantom, answers: Answers) -> str:
    """In words; empty where the mask is the same."""
    theirs = answers.masks.get(phantom.name)
    if theirs is None:
        return answers.failures.get(phantom.name, "no answer")
    if theirs.shape != phantom.mask.shape:
        return f"shape {theirs.shape}, expected {phantom.mask.shape}"
    wrong = int(np.count_nonzero(theirs != phantom.mask))
    return f"{wrong} voxels differ, {phantom.mask.sum()} were drawn" if wrong else ""
