"""Model card: name, intended use, structures, training data and scores; lengths in mm."""

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field

from model.inference.card_values import (
    Fingerprint,
    Name,
    Number,
    Remark,
    Rising,
    Share,
    Whole,
    Words,
    no_more_values,
)
from model.inference.structure import Structure

DEMONSTRATION: Final = "demonstration"
CLINICAL: Final = "clinical"
Spacing = Annotated[Number, Field(ge=0.01, le=100)]


@no_more_values
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Values on the card of every kind of model."""

    name: Words
    version: Words
    intended_use: Literal["demonstration", "clinical"]
    """`demonstration`: results leave the machine only after a person's review; or `clinical`."""
    structures: Annotated[tuple[Structure, ...], Field(min_length=1, max_length=256)]
    modalities: Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)]
    pixel_spacing_range_mm: Annotated[tuple[Spacing, Spacing], Rising]
    training_fingerprint: Fingerprint
    """SHA-256 over the training instances and their contours."""
    training_instances: Annotated[Whole, Field(ge=0, le=10**9)]
    training_patients: Annotated[tuple[Words, ...], Field(max_length=10**6)] = ()
    """Data-set keys of the training patients; empty in files from before this field existed."""
    measured_dice: dict[Name, Share] = field(default_factory=dict)
    """Mean Dice by structure on patients not trained on."""
    measured_on: Remark = ""
    """Patients on which `measured_dice` was measured, by data-set key."""
