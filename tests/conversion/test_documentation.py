"""docs/hdf5.md says what the files hold, and its example runs."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pipeline.conversion import Converted, dicom_to_hdf5
from tests.support.dicom.synthetic import make_series, ramp

TEXT = (Path(__file__).parents[2] / "docs" / "hdf5.md").read_text(encoding="utf-8")


@pytest.fixture
def converted() -> Converted:
    cells = ramp("<i2", 12)
    cells[0, 0, 0] ^= 0x4000
    return dicom_to_hdf5(make_series(cells, bits_stored=12))


def test_the_example_has_ten_lines_and_runs(converted: Converted, tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[0]
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    (tmp_path / "volume.h5").write_bytes(converted.hdf5)
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first == "CT HU (3, 40, 36)"
    values = [float(number) for number in re.findall(r"-?\d+\.?\d*", second)]
    assert values[2:] == [0.7, 0.9, -10.5, 20.25, 3.0]


def test_every_name_in_the_file_is_in_the_document(converted: Converted) -> None:
    names: list[str] = []
    with h5py.File(io.BytesIO(converted.hdf5)) as file:
        file.visit(names.append)
        names += file.attrs
    for name in names:
        assert re.search(rf"`/?{name.removeprefix('stored/')}`", TEXT), name
    assert "schema version 2" in TEXT


def test_every_field_of_the_json_is_in_the_document(converted: Converted) -> None:
    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(names, value.values()))
        return names(value[0]) if value and isinstance(value, list) else set()

    for name in names(converted.summary):
        assert f"`{name}`" in TEXT, name


def test_the_formula_of_the_document_gives_the_voxels(converted: Converted) -> None:
    with h5py.File(io.BytesIO(converted.hdf5)) as file:
        stored = file["stored"]
        slope, intercept = stored["rescale_slopes"][0], stored["rescale_intercepts"][0]
        assert np.array_equal(file["voxels"][0], stored["values"][0] * slope + intercept)
        assert stored["unused_bits"][0, 0, 0] == 0x4000
