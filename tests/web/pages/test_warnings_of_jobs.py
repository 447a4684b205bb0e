"""What a job warns of is on the page, in the command, in the receipt and in the API."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pydicom
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from imaging.rtstruct.reader import StructureSet, read_structure_set
from node.ledger.__main__ import main
from tests.support.checkpoints import one_view_checkpoint
from tests.support.peers import write_series
from tests.support.web.clinic import Clinic, open_clinic
from tests.support.web.serving import Site, serving
from tests.web.pages.reading import page, section

LONG = "Left ventricle, the pool of blood"
CUT = "Left ventricle,"
WARNINGS = (
    f"ROI {LONG!r} is written as {CUT!r}: eclipse takes 16 characters",
    "No segmentation: ",
    "each of the 4 instances has a frame of reference of its own, so positions are taken to share",
)


def _with_its_own_frame(data_set: FileDataset, _: int) -> None:
    data_set.FrameOfReferenceUID = generate_uid()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, cine_folder: Path) -> Clinic:
    """One case, with a name that the target cannot take, and no common frame of reference."""
    folder = tmp_path_factory.mktemp("warnings")
    unet = {
        "checkpoint_path": one_view_checkpoint(),
        "variant": "eclipse",
        "segmentation": True,
        "structures": {"LV_Endocardium": {"name": LONG, "color_rgb": [1, 2, 3]}},
    }
    clinic = open_clinic(folder, checkpoint_path=None, pipelines={"unet": unet})
    cine = [cine_folder / f"{number}.dcm" for number in (89, 99, 109, 119)]
    clinic.receive(write_series(cine, folder / "cine", _with_its_own_frame))
    clinic.run()
    return clinic


@pytest.fixture(scope="module")
def site(clinic: Clinic) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


@pytest.fixture(scope="module")
def sent(clinic: Clinic) -> StructureSet:
    folder = Path(clinic.case(1).history.result_folders[0])
    [path] = (folder / "dicom").glob("*.dcm")
    return read_structure_set(path)


@pytest.mark.parametrize("words", WARNINGS)
def test_a_warning_is_at_the_top_of_the_page_and_in_its_receipt(
    client: httpx.Client, words: str
) -> None:
    text = page(client, "/cases/1").replace("&#39;", "'")
    assert words in section(text, "warnings")
    assert words in section(text, "receipt")
    assert text.index('id="warnings"') < text.index('id="viewer"')


def _told(capsys: pytest.CaptureFixture[str], clinic: Clinic, *words: str) -> str:
    configuration = clinic.configuration
    url = configuration.plain_database_url
    flags = ["--storage_path", str(configuration.storage_path)]
    flags += [] if url is None else ["--database_url", url]
    capsys.readouterr()
    assert main([*flags, *words, clinic.case(1).history.series_instance_uid]) == 0
    return capsys.readouterr().out


def test_a_warning_is_in_show_and_in_the_receipt_of_the_command(
    clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, receipt = _told(capsys, clinic, "show"), _told(capsys, clinic, "receipt")
    fields = json.loads(_told(capsys, clinic, "receipt", "--json"))
    for words in WARNINGS:
        assert re.search(rf"^Warning: .*{re.escape(words)}", shown, re.MULTILINE)
        assert re.search(rf"^warning: .*{re.escape(words)}", receipt, re.MULTILINE)
        assert any(words in one for one in fields["warnings"])


def test_a_warning_is_in_the_api(client: httpx.Client, clinic: Clinic) -> None:
    uid = clinic.case(1).history.series_instance_uid
    case = client.get(f"/api/cases/{uid}").json()
    [listed] = client.get("/api/cases").json()["items"]
    for found in (case["warnings"], case["receipt"]["warnings"], listed["warnings"]):
        assert all(any(words in one for one in found) for words in WARNINGS)


def test_today_counts_the_warnings_of_a_case(client: httpx.Client, clinic: Clinic) -> None:
    count = len(clinic.case(1).history.warnings)
    text = page(client, "/")
    assert re.search(rf'href="/cases/1#warnings">.*{count} warnings</a>', text)


def test_no_text_of_a_case_but_its_receipt_has_a_long_uid(
    client: httpx.Client, clinic: Clinic
) -> None:
    assert any("Series 1." in one for one in clinic.case(1).history.warnings)
    for path in ("/", "/cases", "/cases/1", "/log"):
        text = re.sub(r'<section id="receipt".*?</section>', "", page(client, path), flags=re.S)
        assert not re.search(r"\d+(\.\d+){5,}\.\d{6,}", re.sub("<[^>]*>", "", text))


def test_volumes_and_colours_stand_with_the_names_that_were_sent(
    client: httpx.Client, clinic: Clinic, sent: StructureSet
) -> None:
    folder = Path(clinic.case(1).history.result_folders[0])
    rows = client.get(f"/cases/1/results/{folder.name}/structures").json()
    assert [one["name"] for one in rows] == [CUT, "LV_Myocardium"]
    assert rows[0]["color"] == [1, 2, 3]
    report = json.loads((folder / "report.json").read_text())["structures"]
    assert rows[0]["volumes_ml"] == report[LONG]["volume_ml_by_phase"]
    assert len(rows[0]["volumes_ml"]) == 2
    assert min(rows[0]["volumes_ml"]) > 0


def test_a_report_of_an_earlier_version_is_read_by_the_names_that_were_cut(
    client: httpx.Client, clinic: Clinic
) -> None:
    folder = Path(clinic.case(1).history.result_folders[0])
    address, path = f"/cases/1/results/{folder.name}/structures", folder / "report.json"
    before, text = client.get(address).json(), path.read_text()
    report = json.loads(text)
    for one in report["structures"].values():
        del one["written_as"]
    path.write_text(json.dumps(report))
    try:
        assert client.get(address).json() == before
    finally:
        path.write_text(text)


def test_images_are_counted_for_each_phase(
    client: httpx.Client, clinic: Clinic, sent: StructureSet
) -> None:
    folder = Path(clinic.case(1).history.result_folders[0])
    rows = client.get(f"/cases/1/results/{folder.name}/structures").json()
    phases = _images_by_phase(clinic)
    for row, roi in zip(rows, sent.rois, strict=True):
        drawn = {contour.referenced_sop_instance_uid for contour in roi.contours}
        assert row["images_by_phase"] == [len(drawn & phase) for phase in phases]
        assert sum(row["images_by_phase"]) == row["images"]


def _images_by_phase(clinic: Clinic) -> list[set[str]]:
    """SOP Instance UIDs of the two phases, which differ by TriggerTime."""
    folder = clinic.configuration.storage_path / "instances"
    found = [pydicom.dcmread(path, stop_before_pixels=True) for path in folder.rglob("*.dcm")]
    times = sorted({float(one.TriggerTime) for one in found})
    return [
        {str(one.SOPInstanceUID) for one in found if float(one.TriggerTime) == time}
        for time in times
    ]


def test_the_page_of_models_has_the_names_and_colours_of_the_configuration(
    client: httpx.Client,
) -> None:
    text = page(client, "/models")
    assert re.search(rf'data-color="1,2,3"></span>{LONG} <i>\w+, in the model LV_Endocardium', text)
