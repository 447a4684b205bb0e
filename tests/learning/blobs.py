"""Images of blobs, patients of such images, and damage to a data set; needs no pytest."""

from pathlib import Path

import h5py
import numpy as np

from model.data.annotated_images import AnnotatedImage, SeriesKey
from model.data.data_set_writer import write_patient
from model.inference.structure import Structure

STRUCTURES = (
    Structure("Inner", (230, 159, 0), "ORGAN"),
    Structure("Outer", (0, 114, 178), "ORGAN"),
)
SERIES = SeriesKey("MR-1", "MR", "text contours")


def drawn(number: int, *, seed: int = 0, shape: tuple[int, int] = (40, 48)) -> AnnotatedImage:
    """A bright blob with a ring on noise; every third has an unknown ring."""
    random = np.random.default_rng([seed, number])
    row, column = random.uniform(14, 26, 2)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    distance = np.hypot(rows - row, columns - column)
    masks = np.stack([distance < 5, (distance >= 5) & (distance < 8)])
    known = (True, number % 3 != 0)
    masks[~np.array(known)] = False
    image = random.normal(0, 0.1, shape) + masks[0] * 2.0
    return AnnotatedImage(str(number), image.astype(np.float32), masks, known, (1.25, 1.5))


def part(path: Path, patient: str, count: int = 6, *, seed: int = 0) -> Path:
    """One patient in a file of its own."""
    with write_patient(path, patient, STRUCTURES) as writer:
        for number in range(count):
            writer.add(SERIES, drawn(number, seed=seed))
        writer.report({"findings": [], "patient": patient})
    return path


def damage(path: Path, patient: str, index: int) -> None:
    """Turn the bytes of one image's chunk around; headers stay readable, its checksum fails."""
    with h5py.File(path) as file:
        chunk = file[f"patients/{patient}/MR-1/images"].id.get_chunk_info(index)
    content = bytearray(path.read_bytes())
    middle = chunk.byte_offset + chunk.size // 2
    content[middle : middle + 8] = bytes(255 - one for one in content[middle : middle + 8])
    other = path.with_suffix(".damaged")  # HDF5 takes from its cache what is open in this process
    other.write_bytes(content)
    other.rename(path)
