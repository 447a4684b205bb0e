"""When certificates expire, as `--check` and the metrics tell it."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import scp_server
from core.config.settings import Configuration
from tests.security.certificates import Authority
from tests.support.databases import open_test_ledger
from tests.support.ports import free_port
from web.overview.metrics import Metrics


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Whom everybody trusts."""
    return Authority(tmp_path)


def wire(authority: Authority, *, days: float = 90.5, **keys: Any) -> dict[str, Any]:
    certificate, key = authority.sign("node", days=days)
    tls: dict[str, Any] = {"certificate_path": str(certificate), "key_path": str(key)}
    tls |= {"ca_path": str(authority.ca_path), "port": free_port()}
    return {"tls": tls | keys}


def check(
    folder: Path, capsys: pytest.CaptureFixture[str], **keys: Any
) -> tuple[int, dict[str, str]]:
    config = folder / "config.yaml"
    given = {"storage_path": str(folder / "storage"), "scp_port": 0, "web_port": 0}
    config.write_text(yaml.safe_dump(given | keys))
    code = scp_server.main(["--check", "--config", str(config)])
    lines = capsys.readouterr().out.splitlines()
    return code, {line[7:].partition(": ")[0]: line for line in lines}


@pytest.mark.parametrize(
    ("days", "words", "code"),
    [
        (90.5, ", in 90 days", 0),
        (5.4, ", in 5 days, renew it", 0),
        (-2.0, ", renew it", 1),
        (400.0, ", or this machine's clock is wrong", 1),
    ],
)
def test_check_tells_when_certificates_expire(
    tmp_path: Path,
    authority: Authority,
    capsys: pytest.CaptureFixture[str],
    days: float,
    words: str,
    code: int,
) -> None:
    secured = wire(authority, days=days)
    found, lines = check(tmp_path, capsys, wire=secured)
    line = lines[f"certificate {secured['tls']['certificate_path']}"]
    assert line.endswith(words), line
    assert line.startswith("WRONG" if code else "ok ")
    assert lines["tls"].startswith("ok ")
    assert lines[f"certificate {authority.ca_path}"].startswith("ok ")
    assert lines["tls port"].endswith("is free")
    assert found == code


def test_check_tells_a_key_of_another_certificate_and_a_port_that_is_taken(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    _, other = authority.sign("other")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        keys = wire(authority, key_path=str(other), port=port) | {"plain": "closed"}
        code, lines = check(tmp_path, capsys, wire=keys)
    assert code == 1
    assert "cannot be used (key values mismatch)" in lines["tls"]
    assert "cannot listen" in lines["tls port"]
    assert "port" not in lines  # there is none without TLS


def test_the_pages_certificate_is_told_of_too(
    tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = authority.sign("pages", days=3.0)
    web = {"certificate_path": str(certificate), "key_path": str(key)}
    code, lines = check(tmp_path, capsys, web=web, web_port=free_port())
    assert lines[f"certificate {certificate}"].endswith("renew it")
    assert code == 0


def test_metrics_tell_when_certificates_expire(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "storage").mkdir()
    keys = wire(authority, days=10.0)
    values = {"storage_path": tmp_path / "storage", "wire": keys}
    ledger = open_test_ledger(tmp_path / "storage")
    metrics = Metrics(Configuration.model_validate(values), ledger)

    def told() -> dict[str, float]:
        families = text_string_to_metric_families(metrics.scrape().decode())
        samples = [sample for family in families for sample in family.samples]
        name = "slicewire_certificate_expires_timestamp_seconds"
        return {one.labels["path"]: one.value for one in samples if one.name == name}

    path = keys["tls"]["certificate_path"]
    assert told()[path] == pytest.approx(time.time() + 10 * 86_400, abs=60)
    assert told()[str(authority.ca_path)] > time.time()
    Path(path).write_bytes(b"half written")
    assert told()[path] == 0
    ledger.close()
