"""Workloads to send: CT instances that get new UIDs for each run, so that none is known."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from bench.series import planning_ct

_MARK = "9" * 20
_SMALL_BYTES, _LARGE_BYTES = 37_000, 105_000_000


@dataclass(frozen=True, slots=True)
class Workload:
    """Folder of instances, with the offsets of the UID's number in each file."""

    name: str
    folder: Path
    paths: tuple[Path, ...]
    places: tuple[tuple[int, ...], ...]

    def renew(self, count: int | None = None) -> None:
        """Write new SOP Instance UIDs into the first `count` files, in place."""
        for path, places in itertools.islice(zip(self.paths, self.places, strict=True), count):
            number = f"1{np.random.default_rng().integers(10**18):019d}".encode()
            with path.open("r+b") as file:
                for place in places:
                    file.seek(place)
                    file.write(number)

    def part(self, count: int) -> "Workload":
        """Workload of the first `count` instances, in a folder of links."""
        folder = self.folder.parent / f"{self.folder.name}-{count}"
        if not folder.exists():
            folder.mkdir()
            for path in self.paths[:count]:
                (folder / path.name).hardlink_to(path)
        paths = tuple(folder / path.name for path in self.paths[:count])
        return Workload(f"{count} of {self.name}", folder, paths, self.places[:count])

    @property
    def total_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.paths)


def make_workloads(folder: Path) -> dict[str, Workload]:
    """Make W1: 300 CT slices of 512 x 512; W2: 1,000 of 37 KB; W3: one instance of 105 MB."""
    source = pydicom.dcmread(planning_ct(folder / "source", 1)[0])
    return {
        "W1": _write("300 CT of 525 KB", folder / "w1", source, 300),
        "W2": _write("1,000 of 37 KB", folder / "w2", _filled(source, _SMALL_BYTES), 1000),
        "W3": _write("one of 105 MB", folder / "w3", _filled(source, _LARGE_BYTES), 1),
    }


def _filled(source: FileDataset, size_bytes: int) -> FileDataset:
    """Copy with square pixel data of about `size_bytes`."""
    side = int((size_bytes / 2) ** 0.5)
    data_set = pydicom.dcmread(str(source.filename))
    data_set.Rows = data_set.Columns = side
    pixels = np.resize(source.pixel_array, (side, side))
    data_set.PixelData = pixels.astype("<u2").tobytes()
    return data_set


def _write(name: str, folder: Path, data_set: FileDataset, count: int) -> Workload:
    folder.mkdir()
    prefix = UID(f"1.2.826.0.1.3680043.8.498.{_MARK}")
    series_uid = generate_uid()
    data_set.SeriesInstanceUID, data_set.StudyInstanceUID = series_uid, generate_uid()
    data_set.SOPClassUID = data_set.file_meta.MediaStorageSOPClassUID = CTImageStorage
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = prefix
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    first = folder / "0.dcm"
    pydicom.dcmwrite(first, data_set, implicit_vr=False, little_endian=True)
    content = first.read_bytes()
    places = tuple(_all(content, _MARK.encode()))
    paths = tuple(folder / f"{number}.dcm" for number in range(count))
    for path in paths[1:]:
        path.write_bytes(content)
    return Workload(name, folder, paths, (places,) * count)


def _all(content: bytes, mark: bytes) -> list[int]:
    found, at = [], content.find(mark)
    while at >= 0:
        found.append(at)
        at = content.find(mark, at + 1)
    return found
