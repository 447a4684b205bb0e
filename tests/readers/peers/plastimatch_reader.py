"""Reads every case with the program `plastimatch convert`: see `_each_case.py`."""

import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pydicom
from _each_case import for_each_case


def read(images, structure_set, roi_name):
    """The mask at the images' places: plastimatch chooses the distance of its slices itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["plastimatch", "convert", "--input", str(structure_set)]
        command += ["--referenced-ct", str(images), "--output-prefix", folder]
        command += ["--prefix-format", "mha"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        path = Path(folder) / f"{roi_name}.mha"
        if done.returncode or not path.exists():
            raise RuntimeError(f"plastimatch: {done.stdout[-200:]} {done.stderr[-200:]}")
        fields, volume = read_mha(path)
    grid = np.array(fields["TransformMatrix"].split(), dtype=float).reshape(3, 3)
    offset_mm = np.array(fields["Offset"].split(), dtype=float)
    step_mm = float(fields["ElementSpacing"].split()[2])
    places = ((positions_mm(images) - offset_mm) @ grid[2] / step_mm).round().astype(int)
    found = np.zeros((len(places), *volume.shape[1:]), dtype=volume.dtype)
    inside = (places >= 0) & (places < len(volume))
    found[inside] = volume[places[inside]]
    return found


def positions_mm(images):
    """Of each image's first pixel, in order along the normal."""
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in images.glob("*.dcm")]
    direction = np.array(headers[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    positions = np.array([header.ImagePositionPatient for header in headers], dtype=float)
    return positions[np.argsort(positions @ np.cross(*direction))]


def read_mha(path):
    """The fields of the header and the array [slice, row, column] of a MetaImage file of bytes."""
    header, _, content = path.read_bytes().partition(b"ElementDataFile = LOCAL\n")
    fields = dict(line.split(" = ", 1) for line in header.decode().splitlines())
    if fields["ElementType"] != "MET_UCHAR":
        raise RuntimeError(f"MetaImage of {fields['ElementType']}, expected MET_UCHAR")
    if fields.get("CompressedData") == "True":
        content = zlib.decompress(content)
    size = [int(count) for count in fields["DimSize"].split()]
    volume = np.frombuffer(content, dtype=np.uint8, count=int(np.prod(size)))
    return fields, volume.reshape(size[::-1])


if __name__ == "__main__":
    for_each_case(read)
