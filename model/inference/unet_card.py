"""The card of a UNet: besides what every model says, how its network is run."""

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
    """How the probabilities of one structure become its mask."""

    threshold: Share = 0.5
    largest_component: Flag = True
    """Keep the connected part with most probability on each instance."""
    fill_holes: Flag = False
    without: Annotated[tuple[Name, ...], Field(max_length=256)] = ()
    """Names of structures whose pixels are taken out of this one."""


@no_more_values
@dataclass(frozen=True, slots=True, kw_only=True)
class UnetCard(ModelCard):
    """What a UNet is and how it is run; lengths in mm."""

    finishing: Annotated[tuple[Postprocessing, ...], Field(min_length=1, max_length=256)]
    """One for each structure, in their order."""
    encoder_widths: Annotated[tuple[Width, ...], Field(min_length=2, max_length=8)]
    working_spacing_mm: Annotated[Number, Field(ge=0.05, le=20)]
    """Distance between rows and columns to which images are resampled."""
    percentiles: Annotated[tuple[Percentile, Percentile], Rising]
    """Of an image's values: these become 0 and 1."""
    views: Literal[1, 2, 4, 8]
    """Flipped and turned copies whose probabilities are averaged: 1, 2, 4 or 8."""


def parse_unet_card(values: Any) -> UnetCard:
    """The card that the plain `values` of a file are.

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
