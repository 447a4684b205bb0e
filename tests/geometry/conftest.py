"""Real headers, and stacks of slices made from them with `dataclasses.replace`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.instances.header import Header
from imaging.series.series import read_folder

Stack = Callable[..., list[Header]]
_OBLIQUE = (0.86582, 0.489217, 0.104985, -0.180977, 0.501761, -0.845862)


@pytest.fixture(scope="session")
def ct_headers(ct_folder: Path) -> tuple[Header, ...]:
    return read_folder(ct_folder)[0][0].headers


@pytest.fixture(scope="session")
def cine_headers(cine_folder: Path) -> tuple[Header, ...]:
    return read_folder(cine_folder)[0][0].headers


@pytest.fixture(scope="session")
def stack(ct_headers: tuple[Header, ...]) -> Stack:
    """Oblique slices at `positions_mm` along their normal; later keywords go into each header."""

    def build(positions_mm: Sequence[float], **changes: Any) -> list[Header]:
        normal = np.cross(_OBLIQUE[:3], _OBLIQUE[3:])
        return [
            replace(
                ct_headers[0],
                sop_instance_uid=f"1.2.3.{number}",
                series_instance_uid="1.2.3",
                instance_number=number,
                image_orientation=_OBLIQUE,
                image_position_mm=tuple(np.array([5.0, -7.0, 11.0]) + position * normal),
                **changes,
            )
            for number, position in enumerate(positions_mm, start=1)
        ]

    return build
