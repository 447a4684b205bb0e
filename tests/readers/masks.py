"""Masks that are hard to get through an RT Structure Set, [slice, row, column]."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Shape = tuple[int, int, int]
Builder = Callable[[Shape], Mask]
_SAMPLES = Path(__file__).parents[2] / "samples" / "sts" / "STS_003" / "image"
_AIR_HU, _SOFT_TISSUE_HU = -400, 25
_REAL_SLICES = slice(22, 26)


def sphere(shape: Shape) -> Mask:
    """A ball of pixels, one slice thinner than the image at both ends."""
    slices, rows, columns = np.indices(shape)
    middle, side = (shape[0] - 1) / 2, min(shape[1:])
    flat = ((rows - 0.47 * side) ** 2 + (columns - 0.53 * side) ** 2) / (0.42 * side) ** 2
    ball: Mask = flat + ((slices - middle) / (middle - 0.5)) ** 2 < 1.0
    return ball


def pixels(*places: tuple[int, int]) -> Builder:
    """Single pixels (row, column) in the slice before the last."""

    def build(shape: Shape) -> Mask:
        mask = np.zeros(shape, dtype=bool)
        for row, column in places:
            mask[-2, row, column] = True
        return mask

    return build


def ring(shape: Shape) -> Mask:
    """A pipe: one round hole in a disc."""
    return _through(shape, _disc(shape, 0.42) & ~_disc(shape, 0.25))


def nested_island(shape: Shape) -> Mask:
    """A disc with a hole, in the hole an island with a hole, in that a single pixel."""
    plane = _disc(shape, 0.45) & ~_disc(shape, 0.34) | _disc(shape, 0.24) & ~_disc(shape, 0.12)
    middle = min(shape[1:]) // 2
    plane[middle, middle] = True
    return _through(shape, plane)


def thin_wall(shape: Shape) -> Mask:
    """A round wall as thick as one pixel, steps of which touch at corners only."""
    disc = _disc(shape, 0.4)
    return _through(shape, disc & ~ndimage.binary_erosion(disc))


def diagonal_touch(shape: Shape) -> Mask:
    """Squares like those of a chess board: neighbours share nothing but a corner."""
    rows, columns = np.indices(shape[1:])
    inner = (rows // 3 + columns // 3) % 2 == 0
    side = min(shape[1:])
    inner[:6], inner[side - 6 :] = False, False
    inner[:, :6], inner[:, side - 6 :] = False, False
    return _through(shape, inner)


def far_corner(shape: Shape) -> Mask:
    """An ellipse that reaches from near the first pixel to near the last of either side."""
    rows, columns = np.indices(shape[1:])
    high, wide = shape[1] / 2, shape[2] / 2
    return _through(
        shape, ((rows - high) / (high - 3)) ** 2 + ((columns - wide) / (wide - 3)) ** 2 < 1.0
    )


def border(shape: Shape) -> Mask:
    """A block in the upper left corner, in every slice, as high as the image."""
    mask = np.zeros(shape, dtype=bool)
    mask[:, :, :9] = True
    mask[:, :5, : min(shape[1:])] = True
    mask[1:3, 20:24, 3:6] = False
    return mask


def noise(shape: Shape) -> Mask:
    """35 % of all pixels of three slices, each for itself."""
    return _in_square(_in_three(np.random.default_rng(35).random(shape) < 0.35))


def blobs(shape: Shape) -> Mask:
    """Smooth noise above its mean: islands, holes and necks of every size."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(7).standard_normal(shape), (1, 2, 2))
    return _in_square(smooth > 0.03)


def real_body(shape: Shape) -> Mask:
    """The body in slices of a CT, with the air in it as holes."""
    labels, count = ndimage.label(_real_ct(shape) > _AIR_HU)
    sizes = ndimage.sum_labels(np.ones(shape), labels, range(1, count + 1))
    body: Mask = labels == 1 + int(np.argmax(sizes))
    return body


def real_noisy(shape: Shape) -> Mask:
    """The same CT above a threshold amid soft tissue: thousands of islands and holes."""
    return _in_three(_real_ct(shape) > _SOFT_TISSUE_HU)


def real_size() -> Shape:
    """Slices, rows and columns of the CT that `real_body` and `real_noisy` use."""
    first = pydicom.dcmread(_real_paths()[0], stop_before_pixels=True)
    return len(_real_paths()), int(first.Rows), int(first.Columns)


def _real_paths() -> list[Path]:
    return sorted(_SAMPLES.glob("*.dcm"))[_REAL_SLICES]


def _real_ct(shape: Shape) -> npt.NDArray[np.int16]:
    """In HU, with air around it up to `shape`."""
    slices = np.stack([pydicom.dcmread(path).pixel_array for path in _real_paths()])
    volume = np.full(shape, -1000, dtype=np.int16)
    volume[:, : slices.shape[1], : slices.shape[2]] = slices
    return volume


def _in_square(mask: Mask) -> Mask:
    """`mask` within the upper left square, so that only one case is about oblong images."""
    side = min(mask.shape[1:])
    mask[:, side:], mask[:, :, side:] = False, False
    return mask


def _disc(shape: Shape, share: float) -> Mask:
    """Pixels nearer to the middle of the upper left square than `share` of its side."""
    side = min(shape[1:])
    rows, columns = np.indices(shape[1:]) - side // 2
    disc: Mask = np.hypot(rows, columns) < share * side
    return disc


def _through(shape: Shape, plane: Mask) -> Mask:
    """`plane` in three slices."""
    return _in_three(np.broadcast_to(plane, shape))


def _in_three(mask: Mask) -> Mask:
    """The second to fourth slice of `mask`."""
    kept = np.zeros_like(mask)
    kept[1:4] = mask[1:4]
    return kept
