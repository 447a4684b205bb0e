"""Cross-validation folds by patient."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Fold:
    """Disjoint sets of patients to train on and to validate on."""

    training: frozenset[str]
    validation: frozenset[str]


def possible_folds(patients: int, k_folds: int) -> tuple[int, str]:
    """Cut a number of folds to the number of patients, as each fold validates on one or more.

    Returns:
        The number of folds, 0 for one patient, and a sentence if it was cut.
    """
    if k_folds <= max(patients, 1):
        return k_folds, ""
    if patients == 1:
        return 0, f"--k_folds {k_folds}: there is 1 patient, so all train and none validates"
    words = f"--k_folds {k_folds}: there are {patients} patients, so {patients} folds are used"
    return patients, words


def fold_of(patients: Sequence[str], k_folds: int, index: int, seed: int) -> Fold:
    """Fold `index` of `k_folds` of `patients`; with 0 folds, all patients train.

    Raises:
        ConfigurationError: there are more folds than patients, or no fold `index`.
    """
    if k_folds == 0:
        return Fold(frozenset(patients), frozenset())
    if not 2 <= k_folds <= len(patients) or not 0 <= index < k_folds:
        raise ConfigurationError(
            f"--k_folds {k_folds} with --k_fold_index {index}: expected 2 to {len(patients)} folds "
            f"(there are {len(patients)} patients), or 0, and an index from 0 below that"
        )
    shuffled = sorted(patients)
    random.Random(seed).shuffle(shuffled)
    validation = frozenset(shuffled[index::k_folds])
    return Fold(frozenset(patients) - validation, validation)
