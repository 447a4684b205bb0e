"""Kinds of values that the configuration's sections are made of."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from core.ae_titles import parse_ae_title
from core.uids import is_standard_uid, longest_root_uid

PIPELINE_ALIASES = {"3dblur": "blur"}


def parse_root_uid(value: str) -> str:
    """Return a UID root with its last dot; raise ValueError with what was expected."""
    root = value if value.endswith(".") else f"{value}."
    if not is_standard_uid(root[:-1]) or len(root) > longest_root_uid():
        raise ValueError(f"a UID root of digits and dots, at most {longest_root_uid()} characters")
    return root


def _pipeline_name(value: str) -> str:
    return PIPELINE_ALIASES.get(value, value)


AeTitle = Annotated[str, AfterValidator(parse_ae_title)]
RootUid = Annotated[str, AfterValidator(parse_root_uid)]
PipelineName = Annotated[str, AfterValidator(_pipeline_name)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Port = Annotated[int, Field(ge=0, le=65535)]
PeerPort = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Growth = Annotated[float, Field(ge=1, le=10)]
"""Factor from one pause to the next."""
TimeLimit = Annotated[float, Field(gt=0, le=86_400)]
"""Seconds, at most a day, so that every limit has an end."""


class Section(BaseModel):
    """A section of the configuration; unknown keys are errors, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
