"""What `python -m bench.wire` sends is new to every receiver, and what it writes stays in place."""

from pathlib import Path

import pydicom
import pytest

from bench.page import into_page
from bench.report import OURS
from bench.wire.files import make_workloads
from bench.wire.rows import Row
from bench.wire.senders import Sent
from bench.wire.table import as_markdown
from core.uids import is_standard_uid
from network.scu.outgoing import instance_to_send


@pytest.mark.slow
def test_each_run_sends_instances_that_nobody_has(tmp_path: Path) -> None:
    loads = make_workloads(tmp_path)
    assert [len(one.paths) for one in loads.values()] == [300, 1000, 1]
    sizes = [one.paths[0].stat().st_size for one in loads.values()]
    assert [round(size, -4) for size in sizes] == [530_000, 40_000, 104_980_000]
    few, seen = loads["W2"].part(20), set[str]()
    for _ in range(3):
        few.renew()
        uids = [instance_to_send(path).sop_instance_uid for path in few.paths]
        seen.update(uids)
    assert len(seen) == 60
    assert all(is_standard_uid(uid) for uid in seen)
    data_set = pydicom.dcmread(few.paths[5])
    assert data_set.SOPInstanceUID == data_set.file_meta.MediaStorageSOPInstanceUID == uids[5]


def test_ratios_compare_instances_per_second_run_by_run() -> None:
    row = Row("load", {OURS: [Sent(300, 1.0), Sent(300, 2.0)], "other": [Sent(20, 1.0)] * 2})
    assert row.rate(OURS) == 225
    assert row.ratios("other", OURS) == [15, 7.5]


def test_a_page_keeps_what_is_not_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    begin = "<!-- wire: written by python -m bench.wire --docs -->"
    page.write_text(f"before\n{begin}\nold\n<!-- wire ends -->\nafter\n")
    row = Row("load", {OURS: [Sent(300, 1.0)]})
    for _ in range(2):
        into_page("wire", as_markdown([row], {"loopback, MB/s": 1000.0}, 1), page)
    content = page.read_text()
    assert content.startswith("before\n") and content.endswith("\nafter\n")
    assert "old" not in content
    assert content.count("| load | 1 | 300 | Slicewire |") == 1
    page.write_text("nothing")
    with pytest.raises(SystemExit, match="expected the lines"):
        into_page("wire", "", page)
