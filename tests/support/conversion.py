"""The two commands on files in one folder."""

from pathlib import Path

from pipeline import dicom_to_hdf5, hdf5_to_dicom


def to_hdf5(folder: Path, out: Path, *more: str) -> int:
    """The exit code of the way to `out`/a.h5 and a.json."""
    files = ["-h", str(out / "a.h5"), "-j", str(out / "a.json")]
    return dicom_to_hdf5.main(["-i", str(folder), *files, *more])


def to_dicom(out: Path, template: Path, *more: str) -> int:
    """The exit code of the way back from `out`/a.h5 to `out`/dicom."""
    files = ["-h", str(out / "a.h5"), "-o", str(out / "dicom")]
    return hdf5_to_dicom.main([*files, "-d", str(template), *more])
