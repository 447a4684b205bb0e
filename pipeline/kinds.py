"""The kinds of pipeline and what each asks of a series; light, so that the node can ask too."""

from types import MappingProxyType

from imaging.geometry import RULES_2D, RULES_3D

GEOMETRY_RULES = MappingProxyType({"blur": RULES_3D, "unet": RULES_2D})
