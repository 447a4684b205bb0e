"""Every page tells what the ledger knows, for people, and hides what they must not see."""

import re
from pathlib import Path

import httpx
import pytest

from core.config.file import ConfigurationFile
from node.ledger.event_kinds import EventKind
from node.ledger.tables.conditions import set_condition
from node.ledger.tables.events import record_event
from tests.support.web.clinic import Clinic
from tests.support.web.serving import serving, web_configuration
from tests.web.pages.reading import Numbers, page, section


def test_today_tells_what_waits_what_failed_and_why(client: httpx.Client, numbers: Numbers) -> None:
    text = page(client, "/")
    held, failed = section(text, "held"), section(text, "failed")
    assert f'href="/cases/{numbers.held}"' in held
    assert "received only over an aborted association" in held
    assert f'href="/cases/{numbers.failed}"' in failed
    assert "broken.ckpt" in failed
    assert f'href="/cases/{numbers.done}"' in section(text, "under-way")


def test_no_case_is_listed_twice_on_today(client: httpx.Client, numbers: Numbers) -> None:
    listed = re.findall(r'<th scope="row"><a href="/cases/(\d+)"', page(client, "/"))
    assert set(map(str, vars(numbers).values())) <= set(listed)
    assert len(set(listed)) == len(listed)


def test_today_tells_how_long_the_disk_lasts_and_what_is_wrong(
    client: httpx.Client, clinic: Clinic
) -> None:
    with clinic.completion.ledger.writing() as connection:
        set_condition(connection, "engine", "No Dask scheduler answers", 1.0)
    text = page(client, "/")
    assert "No Dask scheduler answers" in section(text, "trouble")
    assert "does not run" in section(text, "trouble")
    assert re.search(r"<b>(\d+ days|years|less than a day)</b> left", section(text, "disk"))


def test_html_in_a_name_is_shown_as_text(client: httpx.Client, numbers: Numbers) -> None:
    for path in ("/", "/cases", f"/cases/{numbers.held}"):
        text = page(client, path)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;, O&#39;Hara" in text


def test_no_address_on_any_page_names_a_patient(client: httpx.Client, numbers: Numbers) -> None:
    for path in ("/", "/cases", "/peers", "/log", *(f"/cases/{n}" for n in vars(numbers).values())):
        addresses = re.findall(r'(?:href|src|action|data-\w+)="([^"]*)"', page(client, path))
        assert addresses
        for address in addresses:
            assert not re.search(r"\b4711\b|Hara|script>|SCD0000501|\d+(\.\d+){6}", address)


def test_pages_run_no_script_of_their_own_and_style_nothing_inline(
    client: httpx.Client, numbers: Numbers
) -> None:
    for path in ("/", "/cases", f"/cases/{numbers.done}", "/models", "/configuration", "/log"):
        text = page(client, path)
        assert not re.search(r"<script(?![^>]* src=\"/static/)|<style|\sstyle=|\son\w+=", text)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_what_no_page_of_ours_posts_is_refused(
    client: httpx.Client, numbers: Numbers, token: str | None
) -> None:
    data = {} if token is None else {"csrf_token": token}
    answer = client.post(f"/cases/{numbers.held}/cancel", data=data)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/cases/999999",
        "/cases/2",  # an instance, but not the first of its series
        "/cases/0",
        "/cases/999999/views/received",
        "/cases/1/views/none",
        "/cases/1/received/999999/0",
        "/cases/1/results/none/slices/0",
    ],
)
def test_what_there_is_not_is_404_in_words(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["msg"]


@pytest.mark.parametrize(
    "path",
    ["/cases/x", "/cases/1/results/a/slices/x", "/cases?page=0", f"/cases/{10**20}", "/cases/-1"],
)
def test_what_makes_no_sense_is_422(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 422


def test_cases_are_found_by_state_number_sender_and_end_of_uid(
    client: httpx.Client, clinic: Clinic, numbers: Numbers
) -> None:
    def listed(query: str) -> set[int]:
        return {int(n) for n in re.findall(r'href="/cases/(\d+)"', page(client, f"/cases?{query}"))}

    assert numbers.held in listed("state=held")
    assert numbers.done not in listed("state=held")
    assert listed(f"text={numbers.failed}") >= {numbers.failed}
    assert listed("text=tps") >= set(vars(numbers).values())
    uid = clinic.case(numbers.done).history.series_instance_uid
    assert listed(f"text={uid[-9:]}") == {numbers.done}
    assert listed("text=%25") == set()
    assert listed("since=2999-01-01") == set()
    assert listed("page=2") == set()


def test_the_page_names_the_keys_that_only_a_restart_takes(tmp_path: Path) -> None:
    """Those of the pages themselves, too."""
    path = tmp_path / "config.yaml"
    path.write_text("web: {session_h: 12}\n")
    (tmp_path / "storage").mkdir()
    file = ConfigurationFile(path, {"storage_path": tmp_path / "storage"})
    with serving(file.read(), file) as site, site.client() as client:
        path.write_text("web: {session_h: 3}\n")
        text = page(client, "/configuration")
    assert "Only a restart takes changes of" in text
    assert 'Needs a restart: <b class="code">web.session_h</b>' in text
    assert "in the file: 3.0, needs a restart" in text


def test_the_configuration_in_force_hides_secrets(client: httpx.Client) -> None:
    text = page(client, "/configuration")
    assert "never shown" not in text
    assert "user:pass" not in text
    assert "example.org/hook" in text
    assert "<b>unet</b>" in text  # pipeline, not the default


def test_models_are_told_with_hash_structures_and_evaluation(tmp_path: Path) -> None:
    """The shipped one, which is the default."""
    configuration = web_configuration(tmp_path / "storage", pipeline="unet")
    with serving(configuration) as site, site.client() as client:
        text = page(client, "/models")
    assert "b04063d540db378b0a2acf39ded2379de1a0e031fe5672622db95e3c1b791747" in text
    assert "LV_Endocardium" in text
    assert "0.940" in text
    assert "demonstration" in text


def test_peers_are_down_when_what_waits_for_them_fails(client: httpx.Client) -> None:
    text = page(client, "/peers")
    assert "tps" in text
    assert "127.0.0.1:104" in text


def test_the_log_has_every_event_with_its_case(client: httpx.Client, numbers: Numbers) -> None:
    text = page(client, "/log")
    assert "received only over an aborted association" in text
    assert f'href="/cases/{numbers.held}"' in text
    assert "aborted" not in section(page(client, "/log?kind=done"), "list")


def test_a_kind_of_event_that_is_new_can_be_chosen_at_once(
    client: httpx.Client, clinic: Clinic
) -> None:
    before = re.findall(r"<option[^>]*>([^<]*)</option>", page(client, "/log"))
    assert {"any", "association", "done", "held"} <= set(before) - {"disk"}
    with clinic.completion.ledger.writing() as connection:
        record_event(connection, EventKind.DISK, "", now=1.0)
    after = re.findall(r"<option[^>]*>([^<]*)</option>", page(client, "/log"))
    assert sorted({*before, "disk"} - {"any"}) == after[1:]


def test_a_browser_without_compression_gets_the_same_contours(
    client: httpx.Client, numbers: Numbers
) -> None:
    name = re.search(r'<option value="(\w{64})"', page(client, f"/cases/{numbers.done}"))
    assert name is not None
    path = f"/cases/{numbers.done}/results/{name[1]}/contours/0"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == client.get(path).json()
