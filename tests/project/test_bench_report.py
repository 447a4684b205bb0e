"""A comparison says medians and ranges, of what its runs found too, and the page takes them."""

from pathlib import Path

from bench.isolated import Run
from bench.page import PAGE, as_markdown, into_page
from bench.report import OURS, Case, found_as_text


def run(seconds: float, **found: object) -> Run:
    return Run(seconds, 2 * seconds, 100.0 + seconds, 10.0, found)


def compared() -> Case:
    """The last run of each side is the odd one."""
    ours = [run(1.0, rate=10.0, wrong="0 of 9"), run(2.0, rate=20.0, wrong="0 of 9")]
    theirs = [run(2.0, rate="5.0", wrong="0 of 9"), run(2.0, rate="5.0", wrong="0 of 9")]
    ours.append(run(9.0, rate=90.0, wrong="1 of 9"))
    theirs.append(run(9.0, rate="1.0", wrong="0 of 9"))
    return Case("work", {OURS: ours, "other": theirs})


def test_what_runs_found_is_summed_up_by_the_median_not_by_the_last_run() -> None:
    ours, theirs = (compared().summary(side) for side in (OURS, "other"))
    assert ours["found"] == {"rate": 20.0, "wrong": "0 of 9 or 1 of 9"}
    assert ours["found_from_to"] == {"rate": [10.0, 90.0]}
    assert theirs["found"] == {"rate": 5.0, "wrong": "0 of 9"}
    assert found_as_text(ours, "rate") == "20 (10-90)"
    assert found_as_text(ours, "wrong") == "0 of 9 or 1 of 9"


def test_numbers_that_never_change_have_no_range() -> None:
    case = Case("work", {OURS: [run(1.0, rate=3), run(2.0, rate=3)]})
    assert found_as_text(case.summary(OURS), "rate") == "3"


def test_the_page_gets_ratio_and_memory_of_every_side(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin, end = (
        "<!-- learning: written by python -m bench.learning --docs -->",
        "<!-- learning ends -->",
    )
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")
    for _ in range(2):
        into_page("learning", as_markdown("On a CPU", compared(), ["Words."]), page)
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert "old" not in lines
    assert "On a CPU; work; medians of 3 interleaved runs (from-to):" in lines
    assert "| Slicewire | 20 (10-90) | 0 of 9 or 1 of 9 |  | 4.0 | 102 (10) |" in lines
    assert "| other | 5 (1-5) | 0 of 9 | 1.00 (1.00-2.00) | 4.0 | 102 (10) |" in lines
    assert "Words." in lines


def test_the_real_page_has_the_marks_of_all_that_write_into_it() -> None:
    content = PAGE.read_text()
    for name in ("learning", "learning.inference", "wire"):
        assert f"<!-- {name}: written by python -m bench.{name} --docs -->" in content
        assert f"<!-- {name} ends -->" in content
