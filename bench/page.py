"""Writer of a comparison's figures into docs/performance.md, between two marks there."""

from collections.abc import Sequence
from pathlib import Path

from bench.report import OURS, Case, found_as_text

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def into_page(name: str, text: str, page: Path = PAGE) -> None:
    """Replace the text between the marks of the module bench.`name`.

    Raises:
        SystemExit: the page has no such marks.
    """
    begin, end = (
        f"<!-- {name}: written by python -m bench.{name} --docs -->",
        f"<!-- {name} ends -->",
    )
    content = page.read_text()
    if begin not in content or end not in content:
        raise SystemExit(f"{page}: expected the lines {begin} and {end}")
    before, _, rest = content.partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def as_markdown(title: str, case: Case, words: Sequence[str] = ()) -> str:
    """Markdown table of `case` under its title, followed by `words`."""
    found = list(case.summary(OURS)["found"])
    heads = ["side", *found, "ours is x times (from-to)", "CPU s", "peak MB (added)"]
    runs = len(case.runs[OURS])
    lines = [f"{title}; {case.name}; medians of {runs} interleaved runs (from-to):", ""]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_cells(case, side, found)) + " |" for side in case.runs]
    return "\n".join([*lines, "", *words]).rstrip()


def _cells(case: Case, side: str, found: Sequence[str]) -> list[str]:
    of_side = case.summary(side)
    low, high = of_side["times_our_seconds_from_to"]
    ratio = f"{of_side['times_our_seconds']:.2f} ({low:.2f}-{high:.2f})"
    return [
        side,
        *(found_as_text(of_side, name) for name in found),
        "" if side == OURS else ratio,
        f"{of_side['cpu_seconds']:.1f}",
        f"{of_side['peak_mb']:.0f} ({of_side['added_mb']:.0f})",
    ]
