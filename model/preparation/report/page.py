"""Report of a preparation as an HTML page, with the pictures beside it."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from model.preparation.report.remarks import PatientReport, Remark
from model.preparation.report.summary import Summary

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { border-bottom: 1px solid #ddd; padding: .25em .8em; text-align: right; }
th:first-child, td:first-child, .words th, .words td { text-align: left; }
.attention { background: #fff3cd; border-left: 4px solid #d08700; padding: .5em 1em; }
.fine { background: #e8f5e9; border-left: 4px solid #2e7d32; padding: .5em 1em; }
img { max-width: 100%; margin: .3em 0; }
summary { cursor: pointer; }
"""
_MOST_ROWS = 2000


def page_of(summary: Summary, pictures: Path) -> str:
    """HTML of the report, to be written beside the folder `pictures`."""
    parts = [
        f"<h1>Data set: {', '.join(escape(one.name) for one in summary.result.structures)}</h1>",
        f"<p>{escape(summary.opening)}.</p>",
        _attention(summary.headlines),
        _counts(summary),
        _patients(summary),
        _others(summary.result.remarks),
        *(_details(one, _pictures_of(one, pictures)) for one in summary.result.patients),
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
    return _table(("found", "number"), [(name, str(n)) for name, n in summary.table.items()])


def _patients(summary: Summary) -> str:
    names = [one.name for one in summary.result.structures]
    heading = ("patient", "images", "drawn on", "without structure", "without contour")
    rows = [
        (one.patient, *map(str, (one.images, one.drawn_images, one.empty_images,
         one.undrawn_images, one.contours, one.matched,
         *(one.structures.get(name, 0) for name in names))))
        for one in summary.result.patients
    ]  # fmt: skip
    return _table((*heading, "contours", "used", *names), rows)


def _others(remarks: Sequence[Remark]) -> str:
    """Remarks about no single patient of the data set."""
    if not remarks:
        return ""
    summary = f"<b>Input</b>: {len(remarks)} findings"
    return f"<details><summary>{summary}</summary>{_remarks(remarks)}</details>"


def _details(report: PatientReport, pictures: Sequence[str]) -> str:
    images = "".join(f'<img loading="lazy" src="{link}" alt="">' for link in pictures)
    is_open = " open" if any(one.left_out for one in report.findings) else ""
    return (
        f"<details{is_open}><summary><b>{escape(report.patient)}</b>: {len(report.findings)} "
        f"findings</summary>{_remarks(report.findings)}{images}</details>"
    )


def _remarks(remarks: Sequence[Remark]) -> str:
    rows = [
        (one.key, one.kind.value, one.words.removeprefix(f"{one.key}: "))
        for one in remarks[:_MOST_ROWS]
    ]
    return _table(("what", "kind", "why"), rows, kind="words") if rows else ""


def _pictures_of(report: PatientReport, folder: Path) -> list[str]:
    """Addresses of the pictures, relative to the page."""
    paths = sorted((folder / report.patient).glob("*.png"), key=lambda path: path.name[::-1])
    sheets = sorted(path for path in paths if path.name.startswith("sheet-"))
    singles = [path for path in paths if path not in sheets]
    return [quote(str(path.relative_to(folder.parent))) for path in [*sheets, *singles]]


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]], *, kind: str = "") -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heading)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<table class="{kind}"><tr>{head}</tr>{body}</table>'
