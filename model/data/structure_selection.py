"""Selection of a source's structures, with rings filled to discs."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from scipy import ndimage

from core.errors import ConfigurationError
from model.data.samples import Defect, Masks, Sample, SampleEntry, SampleSource
from model.inference.structure import Structure

Rings = Sequence[tuple[str, str]]
"""Pairs of names: a structure, and the structure that it surrounds."""


class StructureSelection:
    """Source with only the structures `names` of another, in that order, rings filled."""

    def __init__(self, source: SampleSource, names: Sequence[str], rings: Rings = ()) -> None:
        self._source = source
        every = [structure.name for structure in source.structures]
        self._numbers = [every.index(name) for name in names]
        self._inner = {every.index(ring): every.index(inner) for ring, inner in rings}
        self.structures: tuple[Structure, ...] = tuple(
            source.structures[number] for number in self._numbers
        )

    @property
    def patients(self) -> tuple[str, ...]:
        """Keys of the patients, sorted."""
        return self._source.patients

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Instances and series that were left out."""
        return self._source.defects

    def samples(self, patients: Collection[str] | None = None) -> tuple[SampleEntry, ...]:
        """Entries on which at least one of the selected structures is known."""
        entries = (self._narrowed(entry) for entry in self._source.samples(patients))
        return tuple(entry for entry in entries if any(entry.known))

    def read(self, entry: SampleEntry) -> Sample:
        """Read one instance, with the masks of the selected structures.

        Raises:
            LearningDataError: the instance cannot be read.
        """
        sample = self._source.read(entry)
        layers = [self._layer(sample.masks, number) for number in self._numbers]
        return replace(sample, entry=entry, masks=np.stack(layers))

    def _narrowed(self, entry: SampleEntry) -> SampleEntry:
        return replace(entry, known=tuple(entry.known[number] for number in self._numbers))

    def _layer(self, masks: Masks, number: int) -> Masks:
        if number not in self._inner:
            layer: Masks = masks[number]
            return layer
        filled: Masks = ndimage.binary_fill_holes(masks[number] | masks[self._inner[number]])
        return filled


def choose_names(
    structures: Sequence[Structure], names: Sequence[str], output_channels: int
) -> tuple[str, ...]:
    """`names`, or the names of the first `output_channels` of `structures` if empty.

    Raises:
        ConfigurationError: a name is unknown, or the numbers do not match.
    """
    known = [structure.name for structure in structures]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigurationError(f"--structures {unknown[0]}: expected some of {', '.join(known)}")
    if names and len(names) != output_channels:
        raise ConfigurationError(
            f"--output_channels {output_channels} with --structures {','.join(names)}: "
            f"expected {len(names)}, one channel for each"
        )
    if output_channels > len(known):
        raise ConfigurationError(
            f"--output_channels {output_channels}: the data set has {len(known)} structures "
            f"({', '.join(known)})"
        )
    return tuple(names) or tuple(known[:output_channels])


def check_selected(option: str, mentioned: Sequence[str], names: Sequence[str]) -> None:
    """Check that all structures `mentioned` by `option` are among the selected `names`.

    Raises:
        ConfigurationError: a structure is not selected.
    """
    for name in mentioned:
        if name not in names:
            raise ConfigurationError(
                f"{option}: {name} is not learned, expected some of {', '.join(names)}"
            )
