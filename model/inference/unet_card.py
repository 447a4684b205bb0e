"""Card of a UNet: every model's values, and the settings of network and postprocessing."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from model.inference.card import ModelCard
from model.inference.card_values import (
    Flag,
    Name,
    Number,
    Rising,
    Share,
    Whole,
    no_more_values,
    parse_card,
)

Width = Annotated[Whole, Field(ge=1, le=2048)]
Percentile = Annotated[Number, Field(ge=0, le=100)]


@no_more_values
@dataclass(frozen=True, slots=True)
class Postprocessing:
    """Settings that turn the probabilities of one structure into its mask."""

    threshold: Share = 0.5
    largest_component: Flag = True
    """Keep only the connected part with the largest sum of probabilities on each instance."""
    fill_holes: Flag = False
    without: Annotated[tuple[Name, ...], Field(max_length=256)] = ()
    """Names of structures that this one surrounds: their pixels are removed from it."""


@no_more_values
@dataclass(frozen=True, slots=True, kw_only=True)
class UnetCard(ModelCard):
    """Values on the card of a UNet; lengths in mm."""

    finishing: Annotated[tuple[Postprocessing, ...], Field(min_length=1, max_length=256)]
    """Postprocessing of each structure, in their order."""
    encoder_widths: Annotated[tuple[Width, ...], Field(min_length=2, max_length=8)]
    working_spacing_mm: Annotated[Number, Field(ge=0.05, le=20)]
    """Distance between rows and columns to which images are resampled."""
    percentiles: Annotated[tuple[Percentile, Percentile], Rising]
    """Percentiles of an image's values that are mapped to 0 and 1."""
    views: Literal[1, 2, 4, 8]
    """Number of flipped and rotated copies whose probabilities are averaged."""


def parse_unet_card(values: Any) -> UnetCard:
    """Build the card from the plain `values` of a file.

    Raises:
        ValueError: a value is missing, unknown or wrong; the message names it.
    """
    card = parse_card(UnetCard, values)
    if len(card.finishing) != len(card.structures):
        raise ValueError("'finishing' does not have one entry for each of 'structures'")
    names = {structure.name for structure in card.structures}
    if len(names) != len(card.structures):
        raise ValueError("two of 'structures' have the same name")
    if not set(card.measured_dice) <= names:
        raise ValueError("'measured_dice' names a structure that the model does not have")
    return card
