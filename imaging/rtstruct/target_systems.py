"""Rules of target systems for structure sets, each with its public source.

Only documented or publicly reported rules are listed; no limit on points per contour is known, nor
limits specific to Pinnacle. Every variant satisfies what all targets need: DS values of at most 16
characters and ContourData below 64 KB (`imaging/rtstruct/contour_data.py`), names unique without
regard to case, a reference of each contour to its image, and holes as keyholes, which systems that
unite contours and systems that exclude them read alike.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from core.errors import ContourError

_LONGEST_LO, _LONGEST_TG263 = 64, 16


@dataclass(frozen=True, slots=True)
class Variant:
    """Rules of one target system."""

    name: str
    longest_roi_name: int
    """Limit of ROIName; longer names are cut, and written in full in ROIDescription."""
    needs_interpreted_type: bool = False
    """True if a structure without RTROIInterpretedType gets a warning."""


_ALL = (
    # ROIName is LO: 64 characters (PS3.5 6.2)
    Variant("generic", longest_roi_name=_LONGEST_LO),
    # structure IDs of at most 16 characters, no spaces at the ends (github.com/ddicostanzo/CC-Gen,
    # README); a longer label broke the import (github.com/pytrip/pytrip pull request 291)
    Variant("eclipse", longest_roi_name=_LONGEST_TG263),
    # a structure received with another type than the known one is duplicated
    # (github.com/brianmanderson/Dicom_RT_and_Images_to_Mask pull request 15)
    Variant("raystation", longest_roi_name=_LONGEST_LO, needs_interpreted_type=True),
    # no limit of its own is publicly documented: the limit of AAPM TG-263, 7.2, for most systems
    Variant("pinnacle", longest_roi_name=_LONGEST_TG263),
)
VARIANTS: Mapping[str, Variant] = MappingProxyType({variant.name: variant for variant in _ALL})
GENERIC = VARIANTS["generic"]


def variant_of(name: str) -> Variant:
    """Variant with the given name.

    Raises:
        ContourError: there is no such variant.
    """
    if name not in VARIANTS:
        raise ContourError(f"Variant {name!r}: expected one of {', '.join(VARIANTS)}")
    return VARIANTS[name]


def fit_names(names: Sequence[str], variant: Variant) -> list[str]:
    """Cut `names` to the variant's limit, keeping them unique without regard to case.

    A number is added to a cut name if it would not be unique, after the sign that AAPM TG-263, 7.2,
    defines for custom additions: `LN_Ax_Apical_L^1`.
    """
    limit = variant.longest_roi_name
    taken = {name.casefold() for name in names if len(name) <= limit}
    fitted = []
    for name in names:
        fitted.append(name if len(name) <= limit else unique_name(name, limit, taken))
        taken.add(fitted[-1].casefold())
    return fitted


def unique_name(name: str, limit: int, taken: set[str]) -> str:
    """Cut `name` to `limit`, with a number if it is among the `taken` (case-folded) names."""
    shorter, number = name[:limit].rstrip(), 0
    while shorter.casefold() in taken:
        number += 1
        ending = f"^{number}"
        shorter = name[: limit - len(ending)].rstrip() + ending
    return shorter


def name_faults(name: str) -> list[str]:
    """Describe which naming rules of AAPM TG-263 (2018), 7.2 and 8.2, a name violates.

    The report's list of names is not consulted.
    """
    faults = []
    if len(name) > _LONGEST_TG263:
        faults.append(f"{len(name)} characters, expected at most {_LONGEST_TG263}")
    if re.search(r"\s", name):
        faults.append("a space, expected underscores between categories")
    # z and _ mark structures that are not for dose evaluation
    if not re.match(r"[z_]?[A-Z]", name):
        faults.append("no capital at the start")
    return faults
