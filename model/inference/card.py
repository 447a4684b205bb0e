"""A model's card: what it is, what it may be used for, what was measured; lengths in mm."""

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
    """What every model says of itself."""

    name: Words
    version: Words
    intended_use: Literal["demonstration", "clinical"]
    """`demonstration`: results leave the machine when a person has looked; or `clinical`."""
    structures: Annotated[tuple[Structure, ...], Field(min_length=1, max_length=256)]
    modalities: Annotated[tuple[Name, ...], Field(min_length=1, max_length=16)]
    pixel_spacing_range_mm: Annotated[tuple[Spacing, Spacing], Rising]
    training_fingerprint: Fingerprint
    """SHA-256 over the instances and contours that the weights have seen."""
    training_instances: Annotated[Whole, Field(ge=0, le=10**9)]
    training_patients: Annotated[tuple[Words, ...], Field(max_length=10**6)] = ()
    """Data-set keys of the patients that the weights have seen; empty in files older than this."""
    measured_dice: dict[Name, Share] = field(default_factory=dict)
    """Mean Dice per structure on patients that the weights have not seen."""
    measured_on: Remark = ""
    """Which patients, by their data-set keys."""
