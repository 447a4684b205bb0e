"""The web process beside a real node: whole ways, deaths and ends."""

import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.node_process import NodeProcess, Sink, send, series_uid, wait_until
from tests.support.ports import free_port
from tests.support.web.serving import web_configuration
from web.server.process import WebProcess
from web.settings import WebSettings


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    opened = Sink()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, ct_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("root") / "dicom_data"
    folder.mkdir(parents=True)
    for path in sorted(ct_folder.glob("*.dcm"))[:8]:
        shutil.copy(path, folder)
    return folder.parent


def start_node(folder: Path, root: Path, sink: Sink) -> NodeProcess:
    peer = {"name": "sink", "ae_title": "SINK", "ip": "127.0.0.1", "port": sink.port}
    web, rules = {"in_dir_root": str(root)}, [{"pipeline": "blur"}]
    node = NodeProcess(folder, peers=[peer], web=web, rules=rules)
    before = os.umask(0o022)  # as on most machines, so that the node has to care by itself
    try:
        return node.start("--web-port", str(free_port()))
    finally:
        os.umask(before)


@pytest.fixture(scope="module")
def client(
    tmp_path_factory: pytest.TempPathFactory, root: Path, sink: Sink
) -> Iterator[tuple[httpx.Client, NodeProcess]]:
    """Of a node that lives through several tests."""
    node = start_node(tmp_path_factory.mktemp("node"), root, sink)
    with httpx.Client(base_url=url_of(node), timeout=60) as opened:
        yield opened, node
    node.stop(signal.SIGKILL)


@pytest.fixture
def node(tmp_path: Path, root: Path, sink: Sink) -> Iterator[NodeProcess]:
    """One that the test ends."""
    node = start_node(tmp_path / "node", root, sink)
    yield node
    node.stop(signal.SIGKILL)


def url_of(node: NodeProcess) -> str:
    assert node.process.stdout is not None
    line = node.process.stdout.readline()
    assert line.startswith("Pages and REST API: http://127.0.0.1:")
    return line.split(": ")[1].strip().rstrip("/")


def web_process_of(node: NodeProcess) -> psutil.Process:
    """The child that yields the processor."""
    found: list[psutil.Process] = []

    def is_there() -> bool:
        children = psutil.Process(node.process.pid).children()
        found.extend(one for one in children if one.nice() >= psutil.Process().nice() + 5)
        return bool(found)

    wait_until(is_there)
    return found[0]


def answers(url: str, path: str = "/health/live") -> bool:
    try:
        return httpx.get(f"{url}{path}", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


Client = tuple[httpx.Client, NodeProcess]


def test_a_job_by_name_runs_in_the_node_and_leaves_its_results(client: Client) -> None:
    ask, _ = client
    body = {"job_name": "3dblur", "in_dir": "dicom_data"}
    uid = ask.post("/job/", json=body).json()["uid"]
    seen: list[httpx.Response] = []

    def is_done() -> bool:
        seen.append(ask.get(f"/query/{uid}"))
        assert seen[-1].status_code in (200, 202), seen[-1].text
        return seen[-1].status_code == 200

    wait_until(is_done)
    assert seen[-1].json()["msg"] == "Job has completed"
    output = Path(seen[-1].json()["output_dir"])
    assert len(list((output / "dicom").glob("*.dcm"))) == 8
    assert ask.get("/api/deliveries").json()["items"] == []  # nothing was sent anywhere
    assert ask.get("/health/ready").json()["ready"] is True


def test_a_peer_is_echoed_by_the_node(client: Client) -> None:
    ask, _ = client
    assert ask.post("/api/peers/sink/echo").status_code == 202
    wait_until(lambda: ask.get("/api/peers").json()[0]["echo"] is not None)
    echo = ask.get("/api/peers").json()[0]["echo"]
    assert echo["words"] == "answers" or "accepted none" in echo["words"]  # the sink only stores


def test_what_is_asked_stays_out_of_the_logs(client: Client) -> None:
    ask, node = client
    ask.get("/api/cases", params={"state": "DOE^JANE"})
    ask.get("/query/DOE^JANE")
    ask.post("/job/", json={"job_name": "blur", "in_dir": "DOE^JANE"})
    logs = node.logs() + (node.storage_path / "web.log").read_text()
    assert "DOE" not in logs


def test_what_node_web_process_and_workers_wrote_is_of_their_user_alone(client: Client) -> None:
    _, node = client
    written = [node.storage_path, *node.storage_path.rglob("*")]
    assert {"web.log", "debug.log", "volume.h5"} <= {path.name for path in written}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_a_web_process_that_dies_leaves_no_part_of_an_upload(client: Client) -> None:
    """Receiving goes on, and a whole upload that waits is kept."""
    ask, node = client
    url, uploads = str(ask.base_url).rstrip("/"), node.storage_path / "uploads"
    stop = threading.Event()

    def parts() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\nDICM'
        stop.wait(60)  # a sender that takes its time

    def upload() -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        with suppress(httpx.HTTPError):
            httpx.post(f"{url}/api/uploads", content=parts(), headers=headers, timeout=60)

    sender = threading.Thread(target=upload)
    sender.start()
    wait_until(lambda: uploads.exists() and any(uploads.iterdir()))
    web_process_of(node).kill()
    stop.set()
    sender.join()
    wait_until(lambda: answers(url))
    assert list(uploads.iterdir()) == []


def test_the_page_names_the_port_that_was_free_where_the_file_has_none(client: Client) -> None:
    ask, node = client
    assert f"SLICEWIRE at 127.0.0.1:{node.address[1]}<" in ask.get("/").text


def test_a_stop_ends_the_web_process_too(client: Client) -> None:
    """Last of those that share the node."""
    ask, node = client
    url = str(ask.base_url).rstrip("/")
    web, deaths = web_process_of(node), node.logs().count("web process ended")
    assert node.stop() == 0
    assert not web.is_running()
    assert not answers(url)
    assert node.logs().count("web process ended") == deaths


@pytest.mark.slow
def test_a_web_process_that_dies_comes_back_and_receiving_goes_on(
    node: NodeProcess, sink: Sink, ct_paths: list[Path]
) -> None:
    url, before = url_of(node), sink.released
    wait_until(lambda: answers(url))
    web_process_of(node).kill()
    send(node, ct_paths, calling="SINK")
    sink.wait_for(before + 1)
    wait_until(lambda: answers(url))
    with httpx.Client(base_url=url) as client:
        assert client.get(f"/api/cases/{series_uid(ct_paths)}").status_code == 200
    assert "web process ended" in node.logs()


@pytest.mark.slow
def test_a_node_that_is_killed_leaves_nobody_on_the_port(node: NodeProcess) -> None:
    url = url_of(node)
    wait_until(lambda: answers(url))
    web = web_process_of(node)
    os.kill(node.process.pid, signal.SIGKILL)
    wait_until(lambda: not web.is_running() or web.status() == psutil.STATUS_ZOMBIE)
    assert not answers(url)


@pytest.mark.slow
def test_a_web_port_that_is_taken_does_not_keep_the_node_from_receiving(
    tmp_path: Path, ct_paths: list[Path]
) -> None:
    node = NodeProcess(tmp_path / "node")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        node.start("--web-port", str(port))
        assert node.process.stdout is not None
        said = node.process.stdout.readline()
        assert f"none yet, --web_ip 127.0.0.1 --web_port {port}: cannot listen there" in said
        send(node, ct_paths)
        node.wait_for_state(series_uid(ct_paths), "kept")
    wait_until(lambda: answers(f"http://127.0.0.1:{port}"))  # as soon as the port is free
    assert node.stop() == 0
    log = (node.storage_path / "debug.log").read_text()
    assert log.count("no pages and no REST API; the node goes on") == 1


def test_users_that_cannot_be_read_are_a_reason_and_no_failure_of_the_door(
    tmp_path: Path,
) -> None:
    (tmp_path / "users.json").write_text("{")
    configuration = web_configuration(
        tmp_path / "storage", web_port=free_port(), web={"users_path": tmp_path / "users.json"}
    )
    web = WebProcess(WebSettings(configuration))
    assert "users.json: expected a file of `slicewire users`" in web.fault
    assert web.url == ""
    (tmp_path / "users.json").write_text("[]")
    again = WebProcess(WebSettings(configuration))
    assert (again.fault, again.url) == ("", f"http://127.0.0.1:{configuration.web_port}/")
    for one in (web, again):
        one.stop()
