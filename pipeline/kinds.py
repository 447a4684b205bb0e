"""The kinds of pipeline and what each asks of a series; light, so that the node can ask too."""

from types import MappingProxyType

from imaging.geometry.placement import RULES_2D, RULES_3D

PROGRAMS = MappingProxyType(
    {"blur": "pipeline.blur_pipeline:run_blur", "unet": "pipeline.segmentation.program:run_unet"}
)
"""By name, so that a worker which only blurs never loads torch."""

GEOMETRY_RULES = MappingProxyType({"blur": RULES_3D, "unet": RULES_2D})
