"""What an association request may offer and need not, so that it can be left out."""

from enum import StrEnum


class OptionalItem(StrEnum):
    """Something that an association request may offer and need not (PS3.7 D.3.3)."""

    WINDOW = "asynchronous operations window"
    ROLES = "role selection"
    VERSION = "implementation version name"


Items = frozenset[OptionalItem]
NO_ITEMS: Items = frozenset()


def words_of_items(items: Items) -> str:
    """Names of items for a sentence, in their order."""
    return " and ".join(one for one in OptionalItem if one in items)
