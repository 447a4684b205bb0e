"""A structure that is drawn by hand, learnt and drawn by a model."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from model.inference.card_values import Name, Whole, no_more_values

Channel = Annotated[Whole, Field(ge=0, le=255)]


@no_more_values
@dataclass(frozen=True, slots=True)
class Structure:
    """A structure that the model draws, as the structure set will show it."""

    name: Name
    """At most 16 characters, so that it also fits an observation label."""
    color_rgb: tuple[Channel, Channel, Channel]
    interpreted_type: Name
    """RTROIInterpretedType (PS3.3 C.8.8.8), such as ORGAN."""
