"""Routing: the pipelines that a request gets, and the destinations of their results."""

import fnmatch
import hashlib
import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
import structlog
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from core.config.routing import Peer, Rule
from core.config.settings import SENDER, Configuration
from core.errors import ConfigurationError, SenderError
from imaging.instances.read_errors import BROKEN
from network.hosts import addresses_of
from network.sender import Sender
from network.which_peer import which_peer
from node.ledger.requests.jobs import Destination

DEFAULT_DESTINATION = "scu"
_ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104, compared with, not bound to

log = structlog.get_logger("routing")


@dataclass(frozen=True, slots=True)
class NamedRule:
    """A rule and its place in the configuration, such as `rules.0`."""

    name: str
    rule: Rule


class TagMatch:
    """Matches tags of rules with all instances of a series; reads files once per set of tags."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known: dict[tuple[tuple[str, str], ...], bool] = {}

    def fit(self, rule: Rule) -> bool:
        """True if the tags of a rule match every instance."""
        wanted = tuple(rule.tags.items())
        if wanted not in self._known:
            self._known[wanted] = all(_fits_tags(rule, path) for path in self._paths)
        return self._known[wanted]


class Router:
    """Finds the rules and destinations for a sender and its series."""

    def __init__(
        self,
        configuration: Configuration,
        listener: tuple[str, int],
        tls_listener: tuple[str, int] | None = None,
    ) -> None:
        """Store the rules; the listeners (address and port) of the node are never a destination.

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

    def following(self, configuration: Configuration) -> "Router":
        """Return a router of the same listeners with the rules of `configuration`."""
        return Router(configuration, *self._listeners)

    def find_rules(self, sender: Sender, tags: TagMatch) -> list[NamedRule]:
        """Return the first rule that matches sender and instances, and further ones by `also_next`.

        `--pipeline` replaces the pipelines of all rules, and applies without rules too.
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
        """Return where results go: the rule's peers, else the sender if a peer, else --scu_ip.

        Raises:
            SenderError: results go to the sender, but it fits several configured peers.
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


def rules_hash(configuration: Configuration) -> str:
    """Hash what decides which series the rules take, and `pipeline`, which replaces theirs."""
    rules = [rule.model_dump(mode="json", exclude={"priority"}) for rule in configuration.rules]
    text = json.dumps([configuration.pipeline, rules], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def current_destination(configuration: Configuration, destination: Destination) -> Destination:
    """Return a destination with its present address, which may have been corrected since."""
    for peer in configuration.peers:
        if peer.name == destination.peer:
            return Destination(peer.name, peer.ip, peer.port, peer.ae_title)
    ip, port = configuration.scu_ip, configuration.scu_port
    if destination.peer != DEFAULT_DESTINATION or ip is None or port is None:
        return destination
    return Destination(DEFAULT_DESTINATION, ip, port, configuration.scu_ae)


def _is_at(destination: Destination, ip: str, port: int) -> bool:
    """True if a destination is a listener of this node."""
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
        fnmatch.fnmatchcase(text_of(data_set, keyword).lower(), pattern.lower())
        for keyword, pattern in rule.tags.items()
    )


def text_of(data_set: Dataset, keyword: str) -> str:
    """The value of an attribute as the tags of rules are compared with it.

    Empty where there is none, or none that can be read: that fits no rule but one for all values.
    """
    try:
        value = data_set.get(keyword)
    except BROKEN:
        return ""
    if isinstance(value, pydicom.multival.MultiValue):
        return "\\".join(str(part) for part in value)
    return "" if value is None else str(value)


def _is_local(address: str) -> bool:
    """True for an address of this machine: only those can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
