"""How peers send and what they are not offered, as observed, in words."""

import time

from sqlalchemy import Connection

from core.config.settings import Configuration
from network.optional_items import words_of_items
from network.which_peer import which_peer
from node.completion.settle_time import one_by_one_settle_s
from node.ledger.tables.habits import habits_of
from node.ledger.tables.withheld import withheld_from


def habits_in_words(connection: Connection, configuration: Configuration) -> dict[str, str]:
    """What was observed of peers, by name: pauses and settle times, and what they cannot stand."""
    words = _pauses(connection, configuration)
    for peer in configuration.peers:
        withheld = withheld_from(connection, (peer.ae_title, peer.ip, peer.port), time.time())
        if withheld:
            said = f"is offered no {words_of_items(withheld)}, as it ended associations with it"
            words[peer.name] = "; ".join(filter(None, (words.get(peer.name), said)))
    return words


def _pauses(connection: Connection, configuration: Configuration) -> dict[str, str]:
    """Pauses and settle times of peers that open an association for each instance."""
    longest: dict[str, float] = {}
    for sender, pause_s in habits_of(connection):
        peer = which_peer(configuration.peers, sender).peer
        if peer is not None:
            longest[peer.name] = max(pause_s, longest.get(peer.name, 0.0))
    settings = configuration.completion
    own = {peer.name: peer.settle_s for peer in configuration.peers}
    words = {}
    for name, pause_s in longest.items():
        waits_s, set_s = one_by_one_settle_s(settings, pause_s), own[name]
        how = f"sends one by one, with pauses of up to {pause_s:.0f} s"
        if set_s is not None:
            words[name] = f"{how}; its settle_s of {set_s:g} s counts"
        elif settings.one_by_one_factor:
            words[name] = f"{how}: a series waits {max(waits_s, settings.settle_s):.0f} s"
        else:
            words[name] = how
    return words
