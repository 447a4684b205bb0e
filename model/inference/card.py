"""A model's card: what it is, what it may be used for, what was measured; lengths in mm."""

from dataclasses import dataclass, field

from model.inference.structure import Structure

DEMONSTRATION, CLINICAL = "demonstration", "clinical"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What every model says of itself."""

    name: str
    version: str
    intended_use: str
    """`demonstration`: results leave the machine when a person has looked; or `clinical`."""
    structures: tuple[Structure, ...]
    modalities: tuple[str, ...]
    pixel_spacing_range_mm: tuple[float, float]
    training_fingerprint: str
    """SHA-256 over the instances and contours that the weights have seen."""
    training_instances: int
    training_patients: tuple[str, ...] = ()
    """Data-set keys of the patients that the weights have seen; empty in files older than this."""
    measured_dice: dict[str, float] = field(default_factory=dict)
    """Mean Dice per structure on patients that the weights have not seen."""
    measured_on: str = ""
    """Which patients, by their data-set keys."""
