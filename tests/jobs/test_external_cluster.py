"""A Dask cluster that somebody else started: over TLS, and with resources."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from core.config.sections import Engine as EngineSettings
from core.errors import EngineUnavailableError
from node.jobs import engine as engine_module
from node.jobs.engine import Engine
from node.ledger.requests.jobs import create_job
from node.ledger.row_states import JobState
from tests.jobs.queues import ENTRY, Queue, make_queue, request
from tests.support.cluster import ExternalCluster

pytestmark = pytest.mark.slow


@pytest.fixture
def told() -> list[str]:
    """What the engine says of progress."""
    return []


def engine_at(cluster: ExternalCluster, folder: Path, told: list[str], **keys: object) -> Engine:
    settings = EngineSettings.model_validate({"scheduler": cluster.address} | keys)
    return Engine(
        ENTRY,
        on_progress=lambda _, __, words: told.append(words),
        scratch_folder=folder,
        settings=settings,
    )


def issue(authority: trustme.CA, folder: Path, name: str) -> dict[str, str]:
    """A certificate for 127.0.0.1, as `engine.tls` and Dask's flags take it."""
    certificate = authority.issue_cert("127.0.0.1")
    paths = {key: folder / f"{name}-{key}" for key in ("ca_path", "certificate_path", "key_path")}
    authority.cert_pem.write_to_path(str(paths["ca_path"]))
    certificate.private_key_pem.write_to_path(str(paths["key_path"]))
    certificate.cert_chain_pems[0].write_to_path(str(paths["certificate_path"]))
    return {key: str(path) for key, path in paths.items()}


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_cluster(authority: trustme.CA, tmp_path: Path) -> Iterator[ExternalCluster]:
    cluster = ExternalCluster(workers=1, tls=issue(authority, tmp_path, "cluster"))
    yield cluster
    cluster.stop()


def test_jobs_run_on_a_cluster_over_tls(
    tls_cluster: ExternalCluster, authority: trustme.CA, tmp_path: Path
) -> None:
    engine = engine_at(tls_cluster, tmp_path, [], tls=issue(authority, tmp_path, "node"))
    queue = make_queue(engine, tmp_path)
    assert queue.run("fine").state == JobState.DONE
    engine.close()
    queue.ledger.close()


def test_a_certificate_of_another_authority_gets_nowhere(
    tls_cluster: ExternalCluster, tmp_path: Path
) -> None:
    engine = engine_at(tls_cluster, tmp_path, [], tls=issue(trustme.CA(), tmp_path, "stranger"))
    queue = make_queue(engine, tmp_path)
    queue.add("fine")
    with pytest.raises(EngineUnavailableError, match="No Dask scheduler answers at tls://"):
        queue.runner.run_next()
    queue.ledger.close()


@pytest.fixture
def mixed(tmp_path: Path, told: list[str]) -> Iterator[Queue]:
    """One worker without resources and one with a GPU."""
    cluster = ExternalCluster(workers=1)
    cluster.add_worker(resources="GPU=1")
    engine = engine_at(cluster, tmp_path, told, workers=2)
    queue = make_queue(engine, tmp_path, time_limit_s=60)
    yield queue
    engine.close()
    cluster.stop()
    queue.ledger.close()


def test_a_pipeline_that_needs_a_gpu_runs_where_one_is(mixed: Queue) -> None:
    for number in range(3):
        job_id = f"{number}resources".ljust(64, "0")
        wanted = request(job_id, "resources", mixed.folder)
        with mixed.ledger.writing() as connection:
            create_job(connection, replace(wanted, resources={"GPU": 1.0}), (), 1.0)
        assert mixed.runner.run_next()
        job = mixed.job(job_id)
        assert job.state == JobState.DONE
        assert job.result is not None
        assert job.result.summary == "{'GPU': 1.0}"


def test_a_pipeline_that_needs_what_no_worker_has_waits_and_leaves_its_slot(
    mixed: Queue, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_YIELD_AFTER_S", 7.0)
    wanted = request("9".ljust(64, "0"), "fine", mixed.folder)
    with mixed.ledger.writing() as connection:
        create_job(connection, replace(wanted, resources={"TPU": 1.0}), (), 1.0)
    assert mixed.runner.run_next()
    assert told[0] == "waits for a worker with TPU=1"
    job = mixed.job(wanted.job_id)
    assert (job.state, job.reason) == (JobState.QUEUED, "The job waits for a worker with TPU=1")
    assert mixed.run("fine").state == JobState.DONE
