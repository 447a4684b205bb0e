"""Which pipelines a series gets for a request, and where their results go."""

import fnmatch
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
import structlog
from pydicom.datadict import tag_for_keyword

from core.config.routing import Peer, Rule
from core.config.settings import SENDER, Configuration
from core.errors import ConfigurationError, SenderError
from network.hosts import addresses_of
from network.sender import Sender
from network.which_peer import which_peer
from node.ledger.requests.jobs import Destination

DEFAULT_DESTINATION = "scu"
_ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104, compared with, not bound to

log = structlog.get_logger("routing")


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A rule under the name that the configuration's messages give it, such as `rules.0`."""

    name: str
    rule: Rule


class TagMatch:
    """Whether rules' tags fit all instances of a series; files are read once for each question."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known: dict[tuple[tuple[str, str], ...], bool] = {}

    def fit(self, rule: Rule) -> bool:
        """Whether a rule's tags have the wanted values in every instance."""
        wanted = tuple(rule.tags.items())
        if wanted not in self._known:
            self._known[wanted] = all(_fits_tags(rule, path) for path in self._paths)
        return self._known[wanted]


class Router:
    """The rules of the configuration, asked for one series at a time."""

    def __init__(
        self,
        configuration: Configuration,
        listener: tuple[str, int],
        tls_listener: tuple[str, int] | None = None,
    ) -> None:
        """The listeners are the node's own addresses and ports, which are never a destination.

        Raises:
            ConfigurationError: a rule names a tag that DICOM does not know.
        """
        self._configuration = configuration
        self._listeners = [one for one in (listener, tls_listener) if one is not None]
        for number, rule in enumerate(configuration.rules):
            for keyword in rule.tags:
                if tag_for_keyword(keyword) is None:
                    raise ConfigurationError(
                        f"rules.{number}.tags: {keyword!r}, expected a DICOM keyword as Modality"
                    )

    def find_rules(self, sender: Sender, tags: TagMatch) -> list[NamedRule]:
        """The first rule that fits the sender and every instance, and those that count with it.

        `--pipeline` stands over all rules' pipelines, and needs none.
        """
        pipeline, found = self._configuration.pipeline, list(self._matching(sender, tags))
        if pipeline is None:
            return found
        found = found or [NamedRule("", Rule(pipeline=pipeline))]
        over = {"pipeline": pipeline}
        return [NamedRule("--pipeline", one.rule.model_copy(update=over)) for one in found]

    def _matching(self, sender: Sender, tags: TagMatch) -> Iterator[NamedRule]:
        for number, rule in enumerate(self._configuration.rules):
            if _fits_sender(rule, sender) and tags.fit(rule):
                yield NamedRule(f"rules.{number}", rule)
                if not rule.also_next:
                    return

    def destinations(self, rule: Rule, sender: Sender) -> tuple[Destination, ...]:
        """Where results go: the rule's peers, else the sender if it is a peer, else --scu_ip.

        Raises:
            SenderError: they go to the sender, and which peer that is cannot be told.
        """
        names = rule.destinations or (SENDER,)
        found = [self._destination(name, sender) for name in names]
        return tuple(
            dict.fromkeys(one for one in found if one is not None and not self._is_self(one))
        )

    def _destination(self, name: str, sender: Sender) -> Destination | None:
        peer = self._sender(sender) if name == SENDER else self._named(name)
        if peer is not None:
            return Destination(peer.name, peer.ip, peer.port, peer.ae_title)
        ip, port = self._configuration.scu_ip, self._configuration.scu_port
        if ip is None or port is None:
            return None
        return Destination(DEFAULT_DESTINATION, ip, port, self._configuration.scu_ae)

    def _sender(self, sender: Sender) -> Peer | None:
        which = which_peer(self._configuration.peers, sender)
        if which.is_ambiguous:
            raise SenderError(which.words)
        return which.peer

    def _named(self, name: str) -> Peer | None:
        return next((peer for peer in self._configuration.peers if peer.name == name), None)

    def _is_self(self, destination: Destination) -> bool:
        return any(_is_at(destination, *listener) for listener in self._listeners)


def current_destination(configuration: Configuration, destination: Destination) -> Destination:
    """Where a destination is now, by its name: its address may have been put right meanwhile."""
    for peer in configuration.peers:
        if peer.name == destination.peer:
            return Destination(peer.name, peer.ip, peer.port, peer.ae_title)
    ip, port = configuration.scu_ip, configuration.scu_port
    if destination.peer != DEFAULT_DESTINATION or ip is None or port is None:
        return destination
    return Destination(DEFAULT_DESTINATION, ip, port, configuration.scu_ae)


def _is_at(destination: Destination, ip: str, port: int) -> bool:
    """Whether a destination is this listener of ours."""
    if destination.port != port:
        return False
    theirs = addresses_of(destination.ip)
    ours = theirs if ip in _ANY_ADDRESS else addresses_of(ip)
    itself = any(address in ours and _is_local(address) for address in theirs)
    if itself:
        log.warning("destination is this node itself, not used", ip=destination.ip, port=port)
    return itself


def _fits_sender(rule: Rule, sender: Sender) -> bool:
    return fnmatch.fnmatchcase(
        sender.called_ae_title, rule.called_ae_title
    ) and fnmatch.fnmatchcase(sender.calling_ae_title, rule.calling_ae_title)


def _fits_tags(rule: Rule, path: Path) -> bool:
    if not rule.tags:
        return True
    data_set = pydicom.dcmread(path, specific_tags=list(rule.tags), stop_before_pixels=True)
    return all(
        fnmatch.fnmatchcase(_text(data_set.get(keyword)).lower(), pattern.lower())
        for keyword, pattern in rule.tags.items()
    )


def _text(value: object) -> str:
    if isinstance(value, pydicom.multival.MultiValue):
        return "\\".join(str(part) for part in value)
    return "" if value is None else str(value)


def _is_local(address: str) -> bool:
    """Only an address of this machine can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
