"""Pausing over API and pages: who may, what is answered, and where a pause is shown."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node.commands import carry_out
from tests.support.web.serving import Site, serving, web_configuration
from tests.web.pages.reading import page

PEER = {"name": "tps", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}
BUTTON = 'data-echo="/api/{}/{}"'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("site")
    with serving(web_configuration(folder / "storage", peers=[PEER])) as served:
        yield served


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    """A client of the site, on which nothing is paused afterwards."""
    with site.client() as opened:
        yield opened
        for one in opened.get("/api/pauses").json():
            opened.post(f"/api/{one['what']}s/{one['name']}/resume")
        carry_out(site.ledger)


def done(site: Site, client: httpx.Client, path: str) -> dict[str, object]:
    """The node's answer to a command."""
    asked = client.post(path)
    assert asked.status_code == 202
    carry_out(site.ledger)
    answer: dict[str, object] = client.get(f"/api/commands/{asked.json()['command']}").json()
    return answer


def test_a_peer_is_paused_and_resumed_and_every_page_says_so(
    site: Site, client: httpx.Client
) -> None:
    assert BUTTON.format("peers/tps", "pause") in page(client, "/peers")
    answer = done(site, client, "/api/peers/tps/pause")
    assert str(answer["answer"]).startswith("peer tps is paused: what is being sent to it ends")
    [pause] = client.get("/api/pauses").json()
    assert (pause["what"], pause["name"]) == ("peer", "tps")
    assert [one["paused"] for one in client.get("/api/peers").json()] == [pause["words"]]
    peers = page(client, "/peers")
    assert pause["words"] in peers
    assert BUTTON.format("peers/tps", "resume") in peers
    assert "peer tps</a> is paused since" in page(client, "/")
    assert str(done(site, client, "/api/peers/tps/resume")["answer"]).startswith(
        "peer tps is resumed"
    )
    assert client.get("/api/pauses").json() == []
    assert "is paused" not in page(client, "/")


def test_a_pipeline_is_paused_and_the_page_of_models_says_so(
    site: Site, client: httpx.Client
) -> None:
    assert BUTTON.format("pipelines/blur", "pause") in page(client, "/models")
    done(site, client, "/api/pipelines/blur/pause")
    models = page(client, "/models")
    assert "pipeline blur is paused since" in models
    assert BUTTON.format("pipelines/blur", "resume") in models
    told = {one["name"]: one["paused"] for one in client.get("/api/models").json()}
    assert told["blur"].startswith("pipeline blur is paused since")
    assert told["unet"] == ""
    assert "pipeline blur</a> is paused since" in page(client, "/")


def test_what_cannot_be_is_refused_with_what_there_is(site: Site, client: httpx.Client) -> None:
    unknown = client.post("/api/peers/pacs/pause")
    assert (unknown.status_code, unknown.json()["msg"]) == (404, "peer: expected one of tps")
    assert client.post("/api/pipelines/none/pause").status_code == 404
    idle = client.post("/api/pipelines/blur/resume")
    assert (idle.status_code, idle.json()["msg"]) == (409, "pipeline blur is not paused")
    done(site, client, "/api/pipelines/blur/pause")
    again = client.post("/api/pipelines/blur/pause")
    assert again.status_code == 409
    assert again.json()["msg"].endswith("already")
