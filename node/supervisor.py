"""The node: creates, starts and stops all its parts in order."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from core.config.settings import Configuration
from core.durable import make_folder
from core.errors import (
    ConfigurationError,
    StorageUnavailableError,
)
from core.storage_layout import StorageLayout
from imaging.geometry.placement import GeometryRules
from network.data_sets.limits import DataSetBounds
from network.scu.transcoder import Transcoder
from node.clock import ClockWatch, NodeClock, shorten_waits
from node.commands import RELOAD, ask, carry_out
from node.completion.expected_count import settle_s
from node.completion.looking_again import look_again_at_kept
from node.completion.routing import Router
from node.completion.series_completion import SeriesCompletion
from node.completion.sources.importer import Importer
from node.completion.sources.orphaned_uploads import remove_orphaned_uploads
from node.delivery.delivery import Delivery
from node.delivery.storage_commitment_scp import StorageCommitmentScp
from node.delivery.storage_commitment_scu import StorageCommitmentScu
from node.echoes import Echoes
from node.jobs.engine import Engine
from node.jobs.runner import Runner
from node.ledger.awaiting import open_when_there
from node.ledger.database import open_ledger
from node.ledger.requests.jobs import report_progress, requeue_running
from node.ledger.row_states import EndCause
from node.ledger.tables.ends import End, describe_end
from node.ledger.tables.instances import ABORTED, open_associations
from node.lock import StorageLock
from node.rebuilding.rebuild import is_lost
from node.reloading import FollowsConfiguration, ReadAgain, Reloading
from node.retention import Retention
from node.rounds import Rounds
from node.scp.instance_store import InstanceStore
from node.scp.n_action import CommitmentService
from node.scp.refusals import Refusal
from node.scp.service import Listener
from node.verbs import ON_NO_CASE
from node.wal.segments import KEPT_SUFFIX, SUFFIX
from node.webhook import Webhook

_DRAIN_S = 8.0  # less than the ten seconds that containers are given

log = structlog.get_logger("node")


class Node:
    """A node that receives series, runs jobs and delivers results until it is stopped."""

    def __init__(
        self,
        configuration: Configuration,
        entry: str,
        *,
        geometry_rules: Mapping[str, GeometryRules],
        modules: Mapping[str, Sequence[str]],
        read_again: ReadAgain | None = None,
    ) -> None:
        """Store the configuration, and names of the pipelines' code.

        Args:
            configuration: of the whole node.
            entry: name of the pipelines' function, as `package.module:function`, for workers.
            geometry_rules: geometry rules of pipelines, by kind.
            modules: modules that workers import early, by kind.
            read_again: reads and checks the configuration file for a reload.
        """
        self._configuration = configuration
        self._entry = entry
        self._geometry_rules = geometry_rules
        self._modules = modules
        self._read_again = read_again
        self._completion_is_ready = threading.Event()

    def prepare(self, wants_stop: Callable[[float], bool]) -> None:
        """Take the storage folder and open its ledger; wait for a database that is not there yet.

        `wants_stop` waits for as many seconds, and is True if a stop was asked for.

        Raises:
            ConfigurationError: the folder is in use by another node, or unusable.
            SystemExit: 0, a stop ended the wait.
        """
        storage_path = self._configuration.storage_path
        self._lock = StorageLock(storage_path)
        try:
            prepare_storage(storage_path)
            self._clock = NodeClock()
            url = self._configuration.plain_database_url
            opens = partial(open_ledger, storage_path, self._clock, database_url=url)
            self._ledger = open_when_there(opens, wants_stop)
        except (StorageUnavailableError, OSError) as error:
            raise ConfigurationError(f"--storage_path is {storage_path}: {error}") from error

    def ledger_is_lost(self) -> bool:
        """True if the ledger knows no instance though some lie in storage, after `prepare`.

        Raises:
            StorageUnavailableError: the ledger cannot be read.
        """
        return is_lost(self._ledger)

    @property
    def tls_address(self) -> tuple[str, int] | None:
        """Address and port that listen with TLS; None if none does."""
        return self._listener.tls_address

    def follow_with(self, part: FollowsConfiguration) -> None:
        """Let a part beside the node, such as the pages, follow its configuration after `start`."""
        self._reloading.add(part)

    def ask_to_reload(self, asker: str) -> None:
        """Read the configuration file again soon, for `asker` (`SIGHUP`); does not wait for it."""
        with suppress(StorageUnavailableError):  # said by the rounds, which fail as well
            ask(self._ledger, RELOAD, asker)

    def start(self) -> tuple[str, int]:
        """Listen, resume unfinished work and start all rounds; return address and port.

        Raises:
            ConfigurationError: the address is taken, or a rule is wrong.
            StorageUnavailableError: the ledger failed meanwhile; the process then ends.
        """
        configuration, ledger = self._configuration, self._ledger
        self._reloading = Reloading(configuration, ledger, self._read_again)
        instance_store = InstanceStore(
            configuration.storage_path,
            ledger,
            root_uid=configuration.root_uid,
            minimum_free_mb=configuration.wire.minimum_free_mb,
            bounds=DataSetBounds.of(configuration.wire),
        )
        self._instance_store = instance_store
        instance_store.wal_writer.recover()
        commitment_scu = StorageCommitmentScu(configuration, ledger)
        commitment_scp = StorageCommitmentScp(
            configuration, ledger, make_now=instance_store.checkpointer.make_now
        )
        self._listener = Listener(
            configuration,
            ledger,
            instance_store,
            on_end=self._on_end,
            commitment=CommitmentService(commitment_scp, commitment_scu),
        )
        with ledger.reading() as connection:
            cut_off = open_associations(connection)  # before the first one of this run
        address = self._listen()
        router = Router(configuration, address, self._listener.tls_address)
        self._series_completion = SeriesCompletion(
            configuration,
            ledger,
            router,
            geometry_rules=self._geometry_rules,
            waits_for_files=instance_store.checkpointer.has_pending,
        )
        self._completion_is_ready.set()
        remove_orphaned_uploads(configuration.storage_path, ledger)
        self._resume(cut_off)
        self._transcoder = Transcoder(StorageLayout(configuration.storage_path).scratch)
        self._delivery = Delivery(configuration, ledger, self._transcoder)
        self._engine = self._make_engine()
        runner = Runner(configuration, ledger, self._engine)
        echoes, webhook = Echoes(configuration, ledger), Webhook(configuration, ledger)
        retention = Retention(configuration, ledger)
        importer = Importer(
            configuration, ledger, instance_store, series_completion=self._series_completion
        )
        self._reloading.add(self._listener, self._series_completion, importer, runner, echoes)
        self._reloading.add(self._delivery, commitment_scu, commitment_scp, retention, webhook)
        self._rounds = Rounds(ledger)
        self._rounds.watch()
        self._rounds.start("clock", ClockWatch(ledger, self._clock).look, is_clock=True)
        self._rounds.start("disk", instance_store.look_at_disk)
        self._rounds.start("completion", self._series_completion.examine_due)
        self._rounds.start("associations", self._listener.reap)
        self._rounds.start("commands", lambda: carry_out(ledger))
        self._rounds.start("configuration", self._reloading.answer_next)
        self._rounds.start("echoes", echoes.answer_next)
        self._rounds.start("requested jobs", importer.read_next)
        for slot in runner.slots:
            self._rounds.start(f"jobs, {slot.name}", partial(runner.run_next, slot))
        self._rounds.start("delivery", self._start_deliveries)
        self._rounds.start("proof", commitment_scu.ask_due)
        self._rounds.start("commitment", commitment_scp.answer_due)
        self._rounds.start("retention", retention.remove_due)
        self._rounds.start("webhook", webhook.post_next)
        return address

    def stop(self) -> None:
        """Stop in order: associations, running jobs within their grace, then the rest."""
        log.info("stopping")
        self._listener.drain(_DRAIN_S, partial(settle_s, self._reloading.configuration))
        self._listener.stop()
        self._rounds.stop()
        grace_s = self._configuration.engine.stop_grace_s
        self._rounds.join(grace_s)
        self._engine.cancel()
        self._rounds.join()
        self._series_completion.stop()
        self._delivery.stop()
        self._transcoder.close()
        self._engine.close()
        self._instance_store.stop(grace_s)
        self._ledger.close()
        self._lock.release()
        log.info("stopped")

    def _listen(self) -> tuple[str, int]:
        try:
            return self._listener.start()
        except OSError as error:
            tls = self._configuration.wire.tls
            raise ConfigurationError(
                f"--scp_ip {self._configuration.scp_ip} --scp_port {self._configuration.scp_port}"
                + ("" if tls is None else f" and wire.tls.port {tls.port}")
                + f": cannot listen there ({error.strerror})"
            ) from error

    def _resume(self, cut_off: list[int]) -> None:
        """Record associations that the last run left open as aborted, and queue its jobs again."""
        killed = End(EndCause.KILLED, "which ended while it was open")
        for association in cut_off:
            with self._ledger.writing() as connection:
                describe_end(connection, association, killed)
            self._series_completion.association_ended(association, ABORTED)
        with suppress(StorageUnavailableError):  # the rounds carry them out as well
            carry_out(self._ledger, ON_NO_CASE)  # before a job begins, or something is sent
        with self._ledger.writing() as connection:
            shorten_waits(connection, self._configuration, self._ledger.clock())
            interrupted = requeue_running(connection)
            look_again_at_kept(connection, self._configuration, self._ledger.clock())
        for job_id in interrupted:
            log.info("job resumed", job_id=job_id[:12])

    def _on_end(self, association: int, outcome: str, refused: Sequence[Refusal]) -> None:
        self._completion_is_ready.wait()  # for associations that end while the node still starts
        self._series_completion.association_ended(association, outcome, refused)

    def _on_progress(self, job_id: str, fraction: float, words: str) -> None:
        """Record progress in log and ledger; a failure of the ledger must not end the job."""
        log.debug(words, job_id=job_id[:12], progress=round(fraction, 2))
        with suppress(StorageUnavailableError), self._ledger.writing() as connection:
            report_progress(connection, job_id, fraction, words)

    def _make_engine(self) -> Engine:
        """Make the engine; its workers start later, as that takes seconds."""
        configuration = self._configuration
        named = [rule.pipeline for rule in configuration.rules]
        named += [configuration.pipeline] if configuration.pipeline is not None else []
        kinds = {configuration.pipelines[name].kind for name in named}
        return Engine(
            self._entry,
            on_progress=self._on_progress,
            scratch_folder=StorageLayout(configuration.storage_path).scratch,
            settings=configuration.engine,
            warm=sorted({name for kind in kinds for name in self._modules[kind]}),
        )

    def _start_deliveries(self) -> int:
        return len(self._delivery.start_due())


def prepare_storage(storage_path: Path) -> None:
    """Create the folders of the storage path durably; remove what an interrupted run left."""
    layout = StorageLayout(storage_path)
    for folder in (layout.scratch, *layout.uncommitted_results()):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (layout.incoming, layout.instances, layout.scratch, layout.results):
        make_folder(folder, below=storage_path)
    for path in layout.incoming.iterdir():  # write-ahead logs hold acknowledged instances
        if path.suffix not in (SUFFIX, KEPT_SUFFIX):
            path.unlink()
