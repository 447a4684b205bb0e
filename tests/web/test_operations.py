"""Health, metrics and what `--check` tells."""

import socket
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import scp_server
from node.ledger.tables.conditions import DISK, set_condition
from node.lock import StorageLock
from tests.support.ports import free_port
from tests.support.web.serving import Site, web_configuration
from tests.web.working_node import WorkingNode
from web.server.preflight import web_findings
from web.settings import WebSettings


def numbers(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """By name and values of labels, in order of the labels' names."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_ready_says_why_not(site: Site, client: httpx.Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["the node does not run"])
    lock = StorageLock(site.settings.storage_path)
    assert client.get("/health/ready").json() == {"ready": True, "reasons": []}
    with site.ledger.writing() as connection:
        set_condition(connection, DISK, "Disk full: 3 MB free", 1.0)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["disk: Disk full: 3 MB free"])
    lock.release()


def test_metrics_count_what_happens(node: WorkingNode, ask: httpx.Client) -> None:
    before = numbers(ask)
    assert before["slicewire_instances_received_total",] == 0
    for name in ("blur", "unet"):
        ask.post("/job/", json={"job_name": name, "in_dir": "ct"})
    node.work()
    waiting = numbers(ask)
    assert waiting["slicewire_instances_received_total",] == 8
    assert waiting["slicewire_received_bytes_total",] > 8000
    assert waiting["slicewire_queue_length", "jobs", "queued"] == 2
    assert waiting["slicewire_associations_total", "released"] == 2
    node.finish(node.start_job())
    node.fail(node.start_job(), "series 1.2.840.10008.1 is CT, expected MR")
    after = numbers(ask)
    assert after["slicewire_job_seconds_count", "blur"] == 1
    assert after["slicewire_job_part_seconds_sum", "compute", "blur"] == 2.0
    assert after["slicewire_failures_total", "series # is CT, expected MR", "job"] == 1
    assert after["slicewire_queue_length", "jobs", "queued"] == 0
    assert after["slicewire_disk_bytes", "free"] > 0
    assert numbers(ask)["slicewire_job_seconds_count", "blur"] == 1  # each is counted once


def check(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, str]]:
    code = scp_server.main(["--check", *flags])
    lines = capsys.readouterr().out.splitlines()
    return code, {line[7:].split(":")[0]: line for line in lines}


def test_check_finds_nothing_wrong_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = tmp_path / "storage"
    flags = ["--storage_path", str(storage), "--scp_port", "0", "--web_port", str(free_port())]
    code, lines = check(capsys, *flags)
    assert code == 0
    assert all(line.startswith("ok ") for line in lines.values())
    assert "left_ventricle" in lines["pipeline unet"]
    assert not storage.exists()


def test_check_tells_everything_that_is_wrong_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "not.ckpt").write_bytes(b"no model")
    (tmp_path / "not.pem").write_bytes(b"no certificate")
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    config = tmp_path / "config.yaml"
    config.write_text(
        f"storage_path: {tmp_path}\nscp_ip: 192.0.2.1\nweb_ip: 0.0.0.0\n"
        f"checkpoint_path: {tmp_path}/not.ckpt\n"
        f"web: {{certificate_path: {tmp_path}/not.pem, key_path: {tmp_path}/not.pem}}\n"
        "rules: [{pipeline: blur, tags: {Modalty: CT}}]\n"
        f"peers: [{{name: tps, ae_title: TPS, ip: 127.0.0.1, port: {free_port()}}}]\n"
    )
    code, lines = check(capsys, "--config", str(config))
    wrong = {name for name, line in lines.items() if line.startswith("WRONG")}
    assert code == 1
    assert wrong == {
        "ledger",
        "rules",
        "port",
        "peer tps",
        "pipeline unet",
        "web users",
        "web certificate",
        f"certificate {tmp_path}/not.pem",
    }


def test_check_tells_a_web_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = WebSettings(web_configuration(tmp_path / "storage", web_port=port))
        wrong = {name: fault for name, _, fault in web_findings(settings, try_port=True) if fault}
    assert wrong["web port"].startswith(
        f"--web_ip 127.0.0.1 --web_port {port}: cannot listen there (Address already in use"
    )
