"""`python -m bench.structure_set`: masks to an RT Structure Set and back, compared with rt-utils.

Both sides start from the series' folder and the masks in memory, and end with a file; then from
the folder and that file, and end with one mask after the other.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.isolated import Run, run_isolated
from bench.phantom import write_masks
from bench.report import OURS, Case, measure, report
from bench.series import planning_ct

_PEER = "rt-utils"
_SIZE = 512


def main() -> None:
    """Print one table: writing and reading, for a body with holes and for twenty structures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    values = parser.parse_args()
    cases = []
    with tempfile.TemporaryDirectory(prefix="slicewire-bench-") as name:
        folder = Path(name)
        planning_ct(folder / "ct", values.slices)
        for case, masks in write_masks(folder, (values.slices, _SIZE, _SIZE)).items():
            cases += [
                _case(f"write {case}", folder, masks, values.runs),
                _case(f"read {case}", folder, masks, values.runs),
            ]
    title = f"Structure sets of {_SIZE} x {_SIZE} x {values.slices}"
    report("structure_set", title, {"slices": values.slices, "size": _SIZE}, cases)


def _case(name: str, folder: Path, masks: Path, runs: int) -> Case:
    kind = name.split(maxsplit=1)[0]

    def side(maker: str) -> Callable[[], Run]:
        path = folder / f"{maker}-{masks.stem}.dcm"
        function = f"bench.structure_set.sides:{maker}_{kind}"
        return lambda: run_isolated(sys.executable, function, folder / "ct", masks, path)

    return measure(name, runs, {OURS: side("ours"), _PEER: side("theirs")})


if __name__ == "__main__":
    main()
