"""Which presentation contexts to propose for a set of instances, and which one to use."""

from collections import Counter
from collections.abc import Iterable, Sequence

from pynetdicom.presentation import PresentationContext, build_context

from imaging.transcode import UNCOMPRESSED
from node.outgoing import InstanceToSend

MAX_CONTEXTS = 128
"""Context IDs are the odd numbers from 1 to 255 (PS3.8 section 9.3.2.2)."""


def propose(instances: Iterable[InstanceToSend]) -> list[PresentationContext]:
    """At most 128 contexts, so that as many instances as possible go out as they are.

    Each SOP class has one with the uncompressed syntaxes, which every peer that takes the class
    must accept (PS3.5 section 10.1), and one for each syntax of its instances alone, because a
    peer picks one syntax of those that a context offers.
    """
    pairs = Counter((one.sop_class_uid, one.transfer_syntax_uid) for one in instances)
    classes = Counter[str]()
    for (sop_class_uid, _), count in pairs.items():
        classes[sop_class_uid] += count
    fallbacks = [build_context(uid, list(UNCOMPRESSED)) for uid, _ in classes.most_common()]
    exact = [build_context(uid, [syntax]) for (uid, syntax), _ in pairs.most_common()]
    return [*fallbacks, *exact][:MAX_CONTEXTS]


def choose_syntax(accepted: Sequence[PresentationContext], instance: InstanceToSend) -> str | None:
    """The transfer syntax in which the peer takes `instance`, its own if possible; None if none."""
    syntaxes = {
        str(context.transfer_syntax[0])
        for context in accepted
        if context.abstract_syntax == instance.sop_class_uid and context.as_scu
    }
    return next(
        (one for one in (instance.transfer_syntax_uid, *UNCOMPRESSED) if one in syntaxes), None
    )


def was_proposed(contexts: Sequence[PresentationContext], instance: InstanceToSend) -> bool:
    """Whether there was room among the 128 contexts for the SOP class of `instance`."""
    return any(context.abstract_syntax == instance.sop_class_uid for context in contexts)
