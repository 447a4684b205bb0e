"""Cases, rows and events page by page; what a person asks of the node; live updates."""

import json
import re
import threading
from typing import Any

import httpx
import pytest

from node.ledger.event_kinds import EventKind
from node.ledger.tables.events import record_event
from tests.support.web.people import event_words
from tests.support.web.serving import Site
from tests.web.working_node import WorkingNode

JOB = {"job_name": "blur", "in_dir": "ct"}


def a_case(node: WorkingNode, ask: httpx.Client) -> str:
    uid = ask.post("/job/", json=JOB).json()["uid"]
    node.work()
    return str(ask.get(f"/query/{uid}").json()["series_instance_uid"])


def tell(site: Site, *words: str, kind: EventKind = EventKind.CLOCK, at: float = 1.0) -> None:
    with site.ledger.writing() as connection:
        for one in words:
            record_event(connection, kind, one, now=at)


def test_a_case_tells_its_whole_story(node: WorkingNode, ask: httpx.Client) -> None:
    uid = a_case(node, ask)
    node.finish(node.start_job())
    case = ask.get(f"/api/cases/{uid}").json()
    assert (case["state"], case["instances"]) == ("done", 8)
    assert case["jobs"][0]["pipeline"] == "blur"
    assert case["receipt"]["received"] == 8
    (request,) = case["requests"]
    assert (request["source"], request["person"], request["state"]) == ("folder", "local", "done")
    assert (request["jobs"][0]["pipeline"], request["jobs"][0]["destinations"]) == ("blur", [])
    assert [one["kind"] for one in case["events"]] == ["folder", "processing"]
    assert case["events"][-1]["words"].startswith("requested by local: 8 instances")
    assert ask.get("/api/cases/1.2.3").status_code == 404
    assert ask.get(f"/api/cases/{uid[-8:]}").status_code == 404  # the whole UID, nothing less


def test_rows_can_be_filtered_by_state(node: WorkingNode, ask: httpx.Client) -> None:
    uid = a_case(node, ask)
    for path in ("/api/cases", "/api/jobs"):
        assert len(ask.get(path, params={"state": "queued"}).json()["items"]) == 1
        assert ask.get(path, params={"state": "failed"}).json()["items"] == []
    assert ask.get("/api/series").json()["items"][0]["series_instance_uid"] == uid
    assert ask.get("/api/deliveries").json() == {"items": [], "next": None}


def test_pages_neither_repeat_nor_skip_while_more_comes(site: Site, client: httpx.Client) -> None:
    tell(site, *(str(number) for number in range(7)))
    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get("/api/events", params={"limit": 3, "cursor": cursor}).json()
        seen += [one["words"] for one in page["items"]]
        tell(site, "meanwhile")
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [str(number) for number in range(6, -1, -1)]


def test_events_since_a_time(site: Site, client: httpx.Client) -> None:
    tell(site, "old", at=1_000_000.0)
    tell(site, "new", at=2_000_000.0)
    found = client.get("/api/events", params={"since": "1970-01-20T00:00:00Z"}).json()["items"]
    assert [one["words"] for one in found] == ["new"]
    assert found[0]["at"] == "1970-01-24T03:33:20Z"


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/events", {"cursor": "nonsense"}),
        ("/api/events", {"cursor": "WyJ4Il0="}),
        ("/api/jobs", {"cursor": "WzFd"}),
        ("/api/events", {"limit": 0}),
        ("/api/events", {"limit": 201}),
        ("/api/events", {"since": "yesterday"}),
        ("/api/commands/0", {}),
        ("/api/events/stream", {"after": -1}),
    ],
)
def test_a_wrong_question_is_4xx_with_the_reason(
    client: httpx.Client, path: str, parameters: dict[str, Any]
) -> None:
    answer = client.get(path, params=parameters)
    assert answer.status_code in (400, 422)
    assert answer.json()["msg"]


def test_what_a_person_asks_of_the_node_is_done_and_in_the_log(
    node: WorkingNode, ask: httpx.Client
) -> None:
    uid = a_case(node, ask)
    answer = ask.post(f"/api/cases/{uid}/cancel")
    assert answer.status_code == 202
    command = answer.json()["command"]
    assert ask.get(f"/api/commands/{command}").json()["done"] is False
    node.work()
    told = ask.get(f"/api/commands/{command}").json()
    words = "1 unfinished jobs cancelled"
    assert told == {"command": command, "done": True, "answer": words, "refused": False}
    (words,) = event_words(node.site, "person: cancel")
    assert words == "1 unfinished jobs cancelled, by local from 127.0.0.1"
    assert ask.post(f"/api/cases/{uid}/explode").status_code == 422
    assert ask.post("/api/cases/1.2.3/cancel").status_code == 404
    assert ask.get("/api/commands/99").status_code == 404


def test_peers_tell_what_waits_for_them(node: WorkingNode, ask: httpx.Client) -> None:
    (peer,) = ask.get("/api/peers").json()
    assert (peer["name"], peer["deliveries"], peer["echo"]) == ("tps", {}, None)
    assert ask.post("/api/peers/tps/echo").status_code == 202
    assert ask.post("/api/peers/nobody/echo").status_code == 404


def test_models_tell_name_hash_structures_and_what_they_measured(client: httpx.Client) -> None:
    pipelines = {one["name"]: one for one in client.get("/api/models").json()}
    assert pipelines["blur"]["model"] is None
    model = pipelines["unet"]["model"]
    assert len(model["sha256"]) == 64
    assert [one["name"] for one in model["structures"]] == ["LV_Endocardium", "LV_Myocardium"]
    assert 0.5 < model["measured_dice"]["LV_Endocardium"] < 1


def test_the_api_describes_itself_on_a_page_in_the_style_of_the_others(
    client: httpx.Client,
) -> None:
    page = client.get("/api/docs").text
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert styles
    assert all(client.get(style).status_code == 200 for style in styles)
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page
    for value in ("job_name", "in_dir", "destinations", "files", "cursor"):
        assert f"<code>{value}</code>" in page


class Listener(threading.Thread):
    """Reads live updates until it has `most`."""

    def __init__(self, site: Site, most: int, **options: Any) -> None:
        super().__init__()
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self._site, self._most, self._options = site, most, options
        self.opened = threading.Event()

    def run(self) -> None:
        with (
            self._site.client() as client,
            client.stream("GET", "/api/events/stream", **self._options) as answer,
        ):
            kind = ""
            for line in answer.iter_lines():
                self.opened.set()
                name, _, value = line.partition(": ")
                kind = value if name == "event" else kind
                if name == "data":
                    self.messages.append((kind, json.loads(value)))
                if len(self.messages) >= self._most:
                    return


def test_live_updates_bring_new_events_and_what_changes(site: Site) -> None:
    tell(site, "before")
    listener = Listener(site, 2)
    listener.start()
    assert listener.opened.wait(60)
    tell(site, "after")
    listener.join(60)
    kinds = dict(listener.messages)
    assert kinds["happening"]["words"] == "after"
    assert kinds["activity"]["queued"] == 0


def test_who_was_cut_off_misses_nothing(site: Site) -> None:
    tell(site, "first", "second", "third")
    listener = Listener(site, 2, headers={"Last-Event-ID": "1"})
    listener.start()
    listener.join(60)
    assert [values["words"] for _, values in listener.messages] == ["second", "third"]


def test_a_case_number_names_a_case_wherever_a_uid_does(
    node: WorkingNode, ask: httpx.Client
) -> None:
    uid = a_case(node, ask)
    number = ask.get(f"/api/cases/{uid}").json()["number"]
    assert ask.get(f"/api/cases/{number}").json()["series_instance_uid"] == uid
    assert [one["number"] for one in ask.get("/api/cases").json()["items"]] == [number]
    for rows in ("jobs", "events"):
        found = ask.get(f"/api/{rows}?series_instance_uid={number}").json()["items"]
        assert found
        assert {one["series_instance_uid"] for one in found} == {uid}
    assert ask.post(f"/api/cases/{number}/cancel").status_code == 202
    assert ask.get("/api/cases/99999").status_code == 404
    assert ask.get(f"/api/cases/{uid[-6:]}").status_code == 404


def test_a_pipeline_is_run_on_a_case_over_http(node: WorkingNode, ask: httpx.Client) -> None:
    uid = a_case(node, ask)
    run = f"/api/cases/{uid}/run"
    command = ask.post(run, params={"pipeline": "unet", "destination": ["tps"]}).json()["command"]
    node.work()
    node.work()
    answer = ask.get(f"/api/commands/{command}").json()
    assert (answer["done"], answer["refused"]) == (True, False)
    assert "unet, run by local from 127.0.0.1: 8 instances" in answer["answer"]
    requests = ask.get(f"/api/cases/{uid}").json()["requests"]
    assert [(one["source"], one["state"]) for one in requests] == [
        ("folder", "queued"),
        ("person", "queued"),
    ]
    assert requests[1]["jobs"][0]["destinations"] == ["tps"]
    for params, words in (
        ({"pipeline": "sharpen"}, "pipeline: expected one of"),
        ({"pipeline": "blur", "destination": "mars"}, "destinations: expected"),
    ):
        refused = ask.post(run, params=params)
        assert refused.status_code == 400
        assert words in refused.json()["msg"]
    assert ask.post(run).status_code == 422
