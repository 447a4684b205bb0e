"""Which pipeline a series gets, where its results go, and what is never processed."""

import socket
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.config.file import read_configuration
from core.errors import ConfigurationError
from network.sender import Sender
from node.completion.routing import Router, TagMatch
from node.ledger.requests.jobs import Destination
from tests.support.completion import Completion, Start
from tests.support.peers import write_series

TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
PACS = {"name": "pacs", "ae_title": "PACS", "ip": "192.0.2.2", "port": 105}
FROM_TPS = Sender("TPS", "SLICEWIRE", "192.0.2.1")
FROM_STRANGER = Sender("STRANGER", "SLICEWIRE", "127.0.0.1")


def router(listener: tuple[str, int] = ("127.0.0.1", 11112), **keys: Any) -> Router:
    return Router(read_configuration(None, keys), listener)


def pipeline_of(asked: Router, sender: Sender, paths: list[Path]) -> str | None:
    rules = asked.find_rules(sender, TagMatch(paths))
    return rules[0].rule.pipeline if rules else None


def test_the_first_rule_that_fits_counts(ct_paths: list[Path], cine_folder: Path) -> None:
    asked = router(
        rules=[
            {"called_ae_title": "BLUR*", "pipeline": "blur"},
            {"calling_ae_title": "CT_?", "pipeline": "blur"},
            {"tags": {"Modality": "mr", "Manufacturer": "GE*"}, "pipeline": "unet"},
        ]
    )
    cine = sorted(cine_folder.glob("*.dcm"))
    assert pipeline_of(asked, Sender("X", "BLUR_3", ""), ct_paths) == "blur"
    assert pipeline_of(asked, Sender("CT_1", "X", ""), ct_paths) == "blur"
    assert pipeline_of(asked, FROM_TPS, cine) == "unet"
    assert pipeline_of(asked, FROM_TPS, ct_paths) is None


def test_a_tag_must_fit_every_instance(ct_paths: list[Path], tmp_path: Path) -> None:
    def odd_one(data_set: pydicom.FileDataset, index: int) -> None:
        data_set.SeriesDescription = "THORAX" if index else "SCOUT"

    asked = router(rules=[{"tags": {"SeriesDescription": "thorax"}, "pipeline": "blur"}])
    assert pipeline_of(asked, FROM_TPS, write_series(ct_paths, tmp_path / "a", odd_one)) is None


def test_the_pipeline_flag_stands_over_the_rules(ct_paths: list[Path]) -> None:
    asked = router(pipeline="3dblur", rules=[{"calling_ae_title": "TPS", "pipeline": "unet"}])
    assert pipeline_of(asked, FROM_TPS, ct_paths) == "blur"
    assert pipeline_of(asked, FROM_STRANGER, ct_paths) == "blur"


def test_a_rule_with_an_unknown_tag_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"rules.0.tags: 'Modalty', expected a DICOM"):
        router(rules=[{"tags": {"Modalty": "MR"}, "pipeline": "unet"}])


def destinations(asked: Router, sender: Sender, *names: str) -> list[str]:
    rule = read_configuration(
        None, {"peers": [TPS, PACS], "rules": [{"pipeline": "blur", "destinations": names}]}
    ).rules[0]
    return [one.peer for one in asked.destinations(rule, sender)]


def test_results_go_to_the_sender_if_it_is_a_peer_and_else_to_the_scu_address() -> None:
    asked = router(peers=[TPS, PACS], scu_ip="192.0.2.9", scu_port=106)
    assert destinations(asked, FROM_TPS) == ["tps"]
    assert destinations(asked, FROM_STRANGER) == ["scu"]
    assert destinations(asked, FROM_TPS, "pacs") == ["pacs"]
    assert destinations(asked, FROM_TPS, "sender", "pacs") == ["tps", "pacs"]


def test_without_a_peer_and_an_address_results_stay_here() -> None:
    assert destinations(router(), FROM_STRANGER) == []


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_node_itself_is_no_destination(listen: str, host: str) -> None:
    asked = router((listen, 11112), scu_ip=host, scu_port=11112)
    assert destinations(asked, FROM_STRANGER) == []


def test_the_nodes_own_tls_port_is_no_destination() -> None:
    keys = {"scu_ip": "127.0.0.1", "scu_port": 2762}
    asked = Router(read_configuration(None, keys), ("127.0.0.1", 11112), ("127.0.0.1", 2762))
    assert destinations(asked, FROM_STRANGER) == []


def test_another_port_or_another_machine_is_a_destination() -> None:
    assert destinations(router(scu_ip="127.0.0.1", scu_port=11113), FROM_STRANGER) == ["scu"]
    elsewhere = router(("0.0.0.0", 11112), scu_ip="192.0.2.1", scu_port=11112)
    assert destinations(elsewhere, FROM_STRANGER) == ["scu"]


def test_every_own_name_of_a_listener_on_all_addresses_is_itself() -> None:
    asked = router(("0.0.0.0", 11112), scu_ip=socket.gethostname(), scu_port=11112)
    assert destinations(asked, FROM_STRANGER) == []


def test_a_series_without_a_rule_is_kept_and_says_so(start: Start, ct_paths: list[Path]) -> None:
    completion = start(pipeline=None)
    completion.send(ct_paths)
    completion.settle()
    row = completion.series(ct_paths)
    assert (row.state, row.reason) == (
        "kept",
        "no rule of the configuration matches: stored, not processed",
    )


def test_a_structure_set_is_kept(completion: Completion, ct_structure_set: Path) -> None:
    completion.send([ct_structure_set])
    completion.settle()
    assert completion.series([ct_structure_set]).reason == "no images: stored, not processed"


def test_what_the_node_made_is_kept_even_with_a_pipeline_for_all(
    start: Start, ct_paths: list[Path], tmp_path: Path
) -> None:
    completion = start(pipeline="blur")

    def made_here(data_set: pydicom.FileDataset, _: int) -> None:
        data_set.ContributingEquipmentSequence = [pydicom.Dataset()]
        data_set.ContributingEquipmentSequence[0].Manufacturer = "Slicewire"

    paths = write_series(ct_paths, tmp_path / "sent", made_here)
    completion.send(paths)
    completion.settle()
    row = completion.series(paths)
    assert row.state == "kept"
    assert row.reason.startswith("made by this node")


def test_the_destination_of_a_job_is_in_the_ledger(start: Start, ct_paths: list[Path]) -> None:
    completion = start(peers=[TPS], scu_ip="127.0.0.1", scu_port=4000)
    completion.send(ct_paths, calling="TPS")
    completion.settle()
    [job] = completion.jobs(ct_paths)
    assert job.destinations == (Destination("tps", "192.0.2.1", 104, "TPS"),)
