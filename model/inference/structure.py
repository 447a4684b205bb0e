"""Structures of data sets and models: name, colour and interpreted type."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from model.inference.card_values import Name, Whole, no_more_values

Channel = Annotated[Whole, Field(ge=0, le=255)]


@no_more_values
@dataclass(frozen=True, slots=True)
class Structure:
    """Name, display colour and type of a structure, as a structure set states them."""

    name: Name
    """At most 16 characters, to fit ROIObservationLabel (VR SH)."""
    color_rgb: tuple[Channel, Channel, Channel]
    interpreted_type: Name
    """RTROIInterpretedType (PS3.3 C.8.8.8), such as ORGAN."""
