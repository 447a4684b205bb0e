"""The card of a UNet: besides what every model says, how its network is run."""

from dataclasses import dataclass

from model.inference.card import ModelCard


@dataclass(frozen=True, slots=True)
class Finishing:
    """How the probabilities of one structure become its mask."""

    threshold: float = 0.5
    largest_component: bool = True
    """Keep the connected part with most probability on each instance."""
    fill_holes: bool = False
    without: tuple[str, ...] = ()
    """Names of structures whose pixels are taken out of this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnetCard(ModelCard):
    """What a UNet is and how it is run; lengths in mm."""

    finishing: tuple[Finishing, ...]
    """One for each structure, in their order."""
    encoder_widths: tuple[int, ...]
    working_spacing_mm: float
    """Distance between rows and columns to which images are resampled."""
    percentiles: tuple[float, float]
    """Of an image's values: these become 0 and 1."""
    views: int
    """Flipped and turned copies whose probabilities are averaged: 1, 2, 4 or 8."""
