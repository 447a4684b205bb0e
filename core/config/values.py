"""Kinds of values that the configuration's sections are made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

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


@dataclass(frozen=True, slots=True)
class PathsOfFile:
    """Where relative paths of a configuration file start: at the folder of the file."""

    folder: Path
    by_working_folder: list[Path] = field(default_factory=list)
    """Paths that exist below the working folder alone, as earlier versions read them."""

    def place(self, path: Path) -> Path:
        """Return `path` below the file's folder; below the working folder if only there."""
        beside = self.folder / path
        if path.is_absolute() or self.folder.resolve() == Path.cwd():
            return path
        if path.exists() and not beside.exists():
            self.by_working_folder.append(path)
            return path.absolute()
        return beside


class Section(BaseModel):
    """A section of the configuration; unknown keys are errors, values cannot be changed.

    A validation whose context is a `PathsOfFile` places relative paths by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _place_path(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, Path) and isinstance(info.context, PathsOfFile):
            return info.context.place(value)
        return value
