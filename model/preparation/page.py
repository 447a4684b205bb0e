"""The report as one page that needs nothing but itself and the pictures beside it."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from model.preparation.remarks import PatientReport
from model.preparation.summary import Summary

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { border-bottom: 1px solid #ddd; padding: .25em .8em; text-align: right; }
th:first-child, td:first-child, td.words { text-align: left; }
.attention { background: #fff3cd; border-left: 4px solid #d08700; padding: .5em 1em; }
.fine { background: #e8f5e9; border-left: 4px solid #2e7d32; padding: .5em 1em; }
img { max-width: 100%; margin: .3em 0; }
summary { cursor: pointer; }
"""
_MOST_ROWS = 2000


def page_of(summary: Summary, pictures: Sequence[Path], beside: Path) -> str:
    """HTML; `pictures` are linked relative to the folder `beside`."""
    by_patient = _by_patient(summary, pictures)
    parts = [
        f"<h1>Data set: {', '.join(escape(one.name) for one in summary.result.structures)}</h1>",
        f"<p>{escape(summary.opening)}.</p>",
        _attention(summary.headlines),
        _counts(summary),
        _patients(summary),
        *(_details(one, by_patient[one.patient], beside) for one in summary.result.patients),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Data set report</title>'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _attention(headlines: Sequence[str]) -> str:
    if not headlines:
        return '<p class="fine">Nothing contradicts itself.</p>'
    lines = "".join(f"<li>{escape(line)}</li>" for line in headlines)
    return f'<div class="attention"><b>Look at this first</b><ul>{lines}</ul></div>'


def _counts(summary: Summary) -> str:
    rows = [(str(name), str(count)) for name, count in summary.counts.items()]
    return _table(("found", "number"), rows) if rows else ""


def _patients(summary: Summary) -> str:
    names = [one.name for one in summary.result.structures]
    heading = ("patient", "images", "drawn on", "without contour", "contours", "used", *names)
    rows = [
        (one.patient, *map(str, (one.images, one.drawn_images, one.undrawn_images, one.contours,
         one.matched, *(one.structures.get(name, 0) for name in names))))
        for one in summary.result.patients
    ]  # fmt: skip
    return _table(heading, rows)


def _details(report: PatientReport, pictures: Sequence[Path], beside: Path) -> str:
    rows = [(one.key, one.kind.value, one.words) for one in report.findings[:_MOST_ROWS]]
    table = _table(("what", "kind", "why"), rows, last="words") if rows else ""
    links = [quote(str(path.relative_to(beside))) for path in pictures]
    images = "".join(f'<img loading="lazy" src="{link}" alt="">' for link in links)
    is_open = " open" if rows else ""
    count = f"{len(report.findings)} findings" if rows else "no findings"
    return (
        f"<details{is_open}><summary><b>{escape(report.patient)}</b>: {count}</summary>"
        f"{table}{images}</details>"
    )


def _by_patient(summary: Summary, pictures: Sequence[Path]) -> dict[str, list[Path]]:
    """Names of pictures begin with the patient's key; the longest that fits is meant."""
    found: dict[str, list[Path]] = {one.patient: [] for one in summary.result.patients}
    for path in pictures:
        owners = [key for key in found if path.name.startswith(f"{key}-")]
        if owners:
            found[max(owners, key=len)].append(path)
    return found


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], *, last: str = "") -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
    body = "".join(_row(row, last) for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _row(cells: Sequence[str], last: str) -> str:
    *first, end = (escape(cell) for cell in cells)
    name = f' class="{last}"' if last else ""
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in first)}<td{name}>{end}</td></tr>"
