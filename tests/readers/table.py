"""`python -m tests.readers.table`: the table of docs/readers.md, made from what is expected."""

from tests.readers.cases import Form, all_cases
from tests.readers.expected import Misses, expected
from tests.readers.reasons import AVERAGED, BY_Z, CUT_SQUARE, SCALED, TURNED, Reason

LETTERS: dict[str, Reason] = {
    "A": AVERAGED,
    "B": BY_Z,
    "C": CUT_SQUARE,
    "D": SCALED,
    "E": TURNED,
}
_COLUMNS: dict[str, tuple[str, Form]] = {
    "plastimatch": ("plastimatch", "oblong"),
    "dcmrtstruct2nii": ("dcmrtstruct2nii", "oblong"),
    "platipy": ("platipy", "oblong"),
    "DicomRTTool": ("dicomrttool", "oblong"),
    "rt-utils, square": ("rt_utils", "square"),
    "rt-utils, oblong": ("rt_utils", "oblong"),
}


def lines() -> list[str]:
    """Of Markdown: a row for each case, `=` where every voxel is right, else a reason."""
    names = [case.name for case in all_cases()]
    table = expected(names)
    columns = [table[peer][form] for peer, form in _COLUMNS.values()]
    counts = [f"{len(names)}", *(f"{len(names) - len(misses)}" for misses in columns)]
    rows = [[name, "=", *(_cell(misses, name) for misses in columns)] for name in names]
    header = ["case", "Slicewire", *_COLUMNS]
    rule = ["---", *([":-:"] * (len(header) - 1))]
    return [_row(row) for row in (header, rule, *rows, [f"of {len(names)}", *counts])]


def reasons() -> list[str]:
    """Of Markdown: what each letter means."""
    return [f"- **{letter}**: {reason.words}" for letter, reason in LETTERS.items()]


def _cell(misses: Misses, name: str) -> str:
    reason = misses.get(name)
    return next((letter for letter, known in LETTERS.items() if known is reason), "=")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print("\n".join([*lines(), "", *reasons()]))  # noqa: T201, its purpose
