"""Checks of `--check` on the node: storage, ledger, ports, TLS and peers; it changes nothing."""

import os
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from core.config.routing import Peer
from core.config.settings import Configuration
from core.errors import (
    ConfigurationError,
    LaterLedgerError,
    SendError,
    StorageUnavailableError,
)
from core.storage_layout import StorageLayout
from network.certificates import certificates
from network.scu.addresses import address_of
from network.scu.association import Timeouts
from network.scu.c_store import echo
from network.tls import server_context
from network.which_peer import confusions
from node.completion.routing import Router
from node.exposures import open_engine, open_storage
from node.jobs.slots import slots_of, waits_for_words
from node.ledger.database import Ledger, check_version
from node.ledger.dialects import make_engine
from node.ledger.existing import migration_words
from node.lock import holder_of
from node.rebuilding.rebuild import LOST, has_instances, is_lost
from node.scp.service import LOOPBACK

_MEGABYTE = 1_000_000
_TIMEOUTS = Timeouts(connect_s=5.0, associate_s=5.0, response_s=5.0)
_AT_ONCE = 8

Finding = tuple[str, str, str]
"""Name of a part, its state in words, and what is wrong with it; empty if nothing is."""


def node_findings(configuration: Configuration, *, try_port: bool) -> Iterator[Finding]:
    """Yield a finding for each part of the node."""
    yield _storage(configuration)
    yield _ledger(configuration)
    yield _rules(configuration)
    yield _engine(configuration)
    yield from _tls(configuration)
    if try_port:
        yield from _ports(configuration)
    yield _peers(configuration)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(lambda peer: _peer(configuration, peer), configuration.peers)


def static_findings(configuration: Configuration) -> Iterator[Finding]:
    """Yield a finding for each part that files and rules alone decide; nobody is asked."""
    yield _rules(configuration)
    yield from _tls(configuration)
    yield _peers(configuration)


def is_of_later_version(configuration: Configuration) -> bool:
    """True if a later version has migrated the ledger: this one cannot start on it."""
    if _has_ledger(configuration):
        try:
            _read_ledger(configuration)
        except LaterLedgerError:
            return True
        except StorageUnavailableError:
            pass  # the findings say so
    return False


def running_node(configuration: Configuration) -> str:
    """Return the process id of the node that uses the storage folder; empty if none does."""
    return holder_of(configuration.storage_path)


def _storage(configuration: Configuration) -> Finding:
    path = configuration.storage_path
    folder = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return "storage", "", f"--storage_path is {path}, expected a folder that can be written"
    free, needed = shutil.disk_usage(folder).free // _MEGABYTE, configuration.wire.minimum_free_mb
    words = "; ".join(filter(None, (f"{path}, {free} MB free", open_storage(path))))
    return "storage", words, "" if free >= needed else f"{words}, expected {needed} MB or more"


def _ledger(configuration: Configuration) -> Finding:
    path = StorageLayout(configuration.storage_path).ledger
    if not _has_ledger(configuration):
        lost = has_instances(configuration.storage_path)
        return "ledger", f"{path} will be made", f"{path} is not there, and {LOST}" if lost else ""
    try:
        migration, fault = _read_ledger(configuration)
    except StorageUnavailableError as error:
        return "ledger", "", str(error)
    words = "PostgreSQL answers" if configuration.database_url else str(path)
    return "ledger", f"{words}. {migration}" if migration else words, fault


def _has_ledger(configuration: Configuration) -> bool:
    path = StorageLayout(configuration.storage_path).ledger
    return configuration.database_url is not None or path.exists()


def _read_ledger(configuration: Configuration) -> tuple[str, str]:
    """Return what the next start will do to the ledger, and what is wrong with its content.

    Raises:
        StorageUnavailableError: as `check_version`.
    """
    path = StorageLayout(configuration.storage_path).ledger
    engine = make_engine(configuration.plain_database_url or f"sqlite:///{path}")
    ledger = Ledger(engine, float, configuration.storage_path)
    try:
        with ledger.reading() as connection:
            check_version(connection)
            words = migration_words(connection)
        is_new = not words and is_lost(ledger)
        return words, f"the ledger is new, and {LOST}" if is_new else ""
    finally:
        ledger.close()


def _rules(configuration: Configuration) -> Finding:
    try:
        Router(configuration, (configuration.scp_ip, configuration.scp_port))
    except ConfigurationError as error:
        return "rules", "", str(error)
    count = len(configuration.rules)
    return "rules", f"{count}" if count else "none", ""


def _engine(configuration: Configuration) -> Finding:
    engine = configuration.engine
    own = f"{engine.workers} at once in own processes, with TLS that is made at the start"
    own += f"; {engine.small_workers} more for small jobs" if engine.small_workers else ""
    words = own if engine.scheduler is None else f"at {engine.scheduler}"
    waits = "; ".join(_pipelines_that_wait(configuration))
    return "engine", "; ".join(filter(None, (words, open_engine(configuration)))), waits


def _pipelines_that_wait(configuration: Configuration) -> Iterator[str]:
    """Say of each pipeline whose resources no own worker has that its jobs would wait."""
    slots = slots_of(configuration.engine)
    for name, pipeline in sorted(configuration.pipelines.items()):
        words = waits_for_words(slots, pipeline.resources)
        if words:
            yield f"pipelines.{name}.resources: a job {words}"


def _tls(configuration: Configuration) -> Iterator[Finding]:
    """Check the files of the TLS port, and when each certificate expires."""
    own = configuration.wire.tls
    if own is not None:
        try:
            server_context(own)
            yield "tls", f"{own.certificate_path} and its key work", ""
        except ConfigurationError as error:
            yield "tls", "", str(error)
    for one in certificates(configuration):
        _, _, words = one.words.rpartition(f"{one.path}: ")
        yield f"certificate {one.path}", words, words if one.is_unusable else ""


def _ports(configuration: Configuration) -> Iterator[Finding]:
    wire, ip = configuration.wire, configuration.scp_ip
    plain_ip = LOOPBACK if wire.plain == "loopback" else ip
    if wire.plain != "closed":
        port = configuration.scp_port
        yield _port("port", plain_ip, port, f"--scp_ip {plain_ip} --scp_port {port}")
    if wire.tls is not None:
        port = wire.tls.port
        yield _port("tls port", ip, port, f"--scp_ip {ip}, wire.tls.port {port}")


def _port(name: str, ip: str, port: int, asked: str) -> Finding:
    try:
        with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((ip, port))
    except OSError as error:
        return name, "", f"{asked}: cannot listen ({error.strerror})"
    return name, f"{ip}:{port} is free", ""


def _peers(configuration: Configuration) -> Finding:
    """Check that each peer can be told from the others."""
    confused, count = confusions(configuration.peers), len(configuration.peers)
    return "peers", f"{count}" if count else "none", "; ".join(confused)


def _peer(configuration: Configuration, peer: Peer) -> Finding:
    address = address_of(peer)
    try:
        echo(address, configuration.ae_title, timeouts=_TIMEOUTS)
    except SendError as error:
        if peer.occasional:
            return f"peer {peer.name}", f"{error}; the peer is not always online", ""
        return f"peer {peer.name}", "", str(error)
    return f"peer {peer.name}", f"{address} answers", ""
