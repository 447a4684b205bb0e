"""`python -m bench.volume`: a folder to a volume, compared with SimpleITK and dicom2nifti.

The peers run in `.peers/`, a virtual environment of their own:
`python -m venv .peers && .peers/bin/pip install SimpleITK dicom2nifti`.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.isolated import Run, run_isolated
from bench.report import OURS, measure, report
from bench.series import planning_ct

_PEERS = Path(__file__).parents[2] / ".peers" / "bin" / "python"
_SIZE = 512


def main() -> None:
    """Run the benchmark and print a table; without `.peers/` of our side alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    values = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        folder = Path(name) / "ct"
        planning_ct(folder, values.slices)
        case = measure("read", values.runs, _sides(folder))
    title = f"CT of {values.slices} slices of {_SIZE} x {_SIZE} to a volume"
    report("volume", title, {"slices": values.slices, "size": _SIZE}, [case])


def _sides(folder: Path) -> dict[str, Callable[[], Run]]:
    sides = {OURS: lambda: run_isolated(sys.executable, "bench.volume.ours:ours", folder)}
    if _PEERS.exists():
        for name, function in (("SimpleITK", "simple_itk"), ("dicom2nifti", "dicom_to_nifti")):
            sides[name] = _peer(function, folder)
    return sides


def _peer(function: str, folder: Path) -> Callable[[], Run]:
    return lambda: run_isolated(_PEERS, f"bench.volume.peers:{function}", folder)


if __name__ == "__main__":
    main()
