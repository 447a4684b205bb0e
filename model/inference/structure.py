"""A structure that is drawn by hand, learnt and drawn by a model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure that the model draws, as the structure set will show it."""

    name: str
    """At most 16 characters, so that it also fits an observation label."""
    color_rgb: tuple[int, int, int]
    interpreted_type: str
    """RTROIInterpretedType (PS3.3 C.8.8.8), such as ORGAN."""
