"""Masks as large as a planning CT: a body with lungs as holes, and structures inside it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
_STRUCTURES = 20
_ROUGHNESS = 0.012


def body_with_lungs(shape: tuple[int, int, int]) -> Mask:
    """Mask [slice, row, column] of a body through all slices, with two lungs as holes."""
    body = _ellipsoid(shape, centre=(0.5, 0.5, 0.5), radii=(9.0, 0.33, 0.44), seed=1)
    for side, column in enumerate((0.3, 0.7)):
        body &= ~_ellipsoid(shape, centre=(0.55, 0.48, column), radii=(0.4, 0.2, 0.13), seed=side)
    return body


def structures(shape: tuple[int, int, int]) -> Iterator[tuple[str, Mask]]:
    """Twenty masks with their names: the body, and nineteen from lens to liver in size."""
    yield "Body", body_with_lungs(shape)
    random = np.random.default_rng(5)
    for number in range(1, _STRUCTURES):
        across, down, along = random.uniform(0.02, 0.12, 3) * (1.0 + number / _STRUCTURES)
        centre = random.uniform(0.3, 0.7, 3)
        radii = (2 * along, down, across)
        yield (
            f"Organ {number}",
            _ellipsoid(
                shape, centre=(centre[0], centre[1], centre[2]), radii=radii, seed=10 + number
            ),
        )


def write_masks(folder: Path, shape: tuple[int, int, int]) -> dict[str, Path]:
    """Write both cases to files, packed to bits; returns their paths."""
    body = folder / "body.npz"
    np.savez_compressed(body, Body=body_with_lungs(shape))
    twenty = folder / "twenty.npz"
    np.savez_compressed(twenty, **dict(structures(shape)))  # type: ignore[arg-type]
    return {"body with lungs as holes": body, f"{_STRUCTURES} structures": twenty}


def _ellipsoid(
    shape: tuple[int, int, int],
    *,
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
    seed: int,
) -> Mask:
    """Ellipsoid with an uneven surface, like a segmented one; lengths as shares of the volume's."""
    slices, rows, columns = (
        (np.arange(size, dtype=np.float32) / size - middle) / radius
        for size, middle, radius in zip(shape, centre, radii, strict=True)
    )
    random = np.random.default_rng(seed)
    mask = np.empty(shape, dtype=bool)
    for index, height in enumerate(slices):
        coarse = random.normal(0.0, _ROUGHNESS, (shape[1] // 8 + 1, shape[2] // 8 + 1))
        uneven = coarse.repeat(8, axis=0).repeat(8, axis=1)[: shape[1], : shape[2]]
        mask[index] = rows[:, np.newaxis] ** 2 + columns**2 + height**2 + uneven < 1.0
    return mask
