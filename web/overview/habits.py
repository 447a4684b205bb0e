"""How peers send, as observed, in words."""

from sqlalchemy import Connection

from core.config.settings import Configuration
from network.which_peer import which_peer
from node.completion.settle_time import one_by_one_settle_s
from node.ledger.tables.habits import habits_of


def habits_in_words(connection: Connection, configuration: Configuration) -> dict[str, str]:
    """Pauses and settle times by name, for peers that open an association for each instance."""
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
