"""Today answers what a new installation meets first."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.config.file import read_configuration
from network import hosts
from network.sender import Sender
from node.ledger.tables.instances import open_association, record_rejection
from tests.support.web.clinic import Clinic, open_clinic
from tests.support.web.serving import Site, serving
from tests.web.pages.reading import page, section
from web.overview.listening import listenings
from web.overview.rejections import rejections
from web.settings import WebSettings

CT_1, MR_1 = Sender("CT_1", "SLICEWIRE", "192.0.2.7"), Sender("MR_1", "BLUR", "192.0.2.8")
STRANGER = "calling AE title 'CT_1' is no configured peer"
RULES = [
    {"called_ae_title": "BLUR", "pipeline": "blur", "tags": {"Modality": "MR"}},
    {"tags": {"Modality": "MR"}, "pipeline": "unet"},
]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, ct_folder: Path) -> Clinic:
    """A CT for which there is no rule, and a system that is no peer."""
    clinic = open_clinic(tmp_path_factory.mktemp("new"), pipeline=None, rules=RULES)
    clinic.receive(sorted(ct_folder.glob("*.dcm"))[:3])
    now = clinic.completion.clock.now
    with clinic.completion.ledger.writing() as connection:
        record_rejection(connection, CT_1, now - 70, STRANGER)
        record_rejection(connection, CT_1, now - 5, f"{STRANGER} (and 6 times before)")
        record_rejection(connection, MR_1, now - 60, "called AE title 'BLUR' is none of ours")
        open_association(connection, MR_1, now - 10)
    return clinic


@pytest.fixture(scope="module")
def site(clinic: Clinic) -> Iterator[Site]:
    with serving(clinic.configuration) as served:
        yield served


@pytest.fixture(scope="module")
def text(site: Site) -> str:
    with site.client() as client:
        return page(client, "/")


def words_of(part: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", part).replace("&#39;", "'").split())


def test_a_rejected_system_is_there_with_titles_address_and_reason(text: str) -> None:
    words = words_of(section(text, "rejected"))
    assert f"CT_1 192.0.2.7 SLICEWIRE {STRANGER} 8 times" in words


def test_a_system_that_was_accepted_since_is_not_there(text: str) -> None:
    assert "MR_1" not in section(text, "rejected")


def test_rejections_of_two_days_ago_are_not_there(clinic: Clinic) -> None:
    now = clinic.completion.clock.now
    with clinic.completion.ledger.reading() as connection:
        assert [one.sender for one in rejections(connection, now)] == [CT_1]
        assert rejections(connection, now + 2 * 86400) == []


def test_a_series_that_no_rule_took_says_which_was_nearest_and_what_differed(text: str) -> None:
    words = words_of(section(text, "untaken"))
    assert "rules.1 (unet) came nearest: Modality is CT, not MR" in words
    assert 'href="/cases/1#ask-run">Run …' in section(text, "untaken")


def test_it_is_in_no_other_list(text: str) -> None:
    assert len(re.findall(r'<th scope="row"><a href="/cases/1"', text)) == 1


def test_the_page_says_where_to_send(text: str) -> None:
    words = words_of(section(text, "send-to"))
    assert "SLICEWIRE at 127.0.0.1:11112 from this machine only" in words


def test_every_time_carries_its_zone(text: str, client: httpx.Client) -> None:
    shown = [text, page(client, "/cases/1"), page(client, "/log"), page(client, "/peers")]
    times = [one for part in shown for one in re.findall(r"<time[^>]*>(.*?)</time>", part)]
    assert times
    zone = r"(UTC[+-]\d\d:\d\d|[A-Z]{3,5})"
    assert all(re.search(rf"\d\d:\d\d:\d\d <small>{zone}</small>$", one) for one in times)


def listened(monkeypatch: pytest.MonkeyPatch, **keys: Any) -> list[str]:
    monkeypatch.setattr(hosts, "_own_addresses", lambda: {"127.0.0.1", "10.0.0.9", "192.0.2.5"})
    monkeypatch.setattr(hosts, "_default_address", lambda: "192.0.2.5")
    return [one.words for one in listenings(WebSettings(read_configuration(None, keys)))]


def test_a_node_on_all_addresses_says_the_one_that_others_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert listened(monkeypatch, scp_ip="0.0.0.0") == ["SLICEWIRE at 192.0.2.5:11112"]
    keys = {"scp_ip": "0.0.0.0", "ae_title": "AI"}
    [one] = listenings(WebSettings(read_configuration(None, keys)))
    assert (one.words, one.others, one.is_local) == ("AI at 192.0.2.5:11112", "10.0.0.9", False)


def test_a_tls_port_is_said_and_a_closed_one_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("node.crt", "node.key", "ca.crt"):
        (tmp_path / name).touch()
    tls = {
        "certificate_path": tmp_path / "node.crt",
        "key_path": tmp_path / "node.key",
        "ca_path": tmp_path / "ca.crt",
    }
    wire = {"plain": "closed", "tls": tls}
    assert listened(monkeypatch, scp_ip="2001:db8::5", wire=wire) == [
        "SLICEWIRE at [2001:db8::5]:2762"
    ]
