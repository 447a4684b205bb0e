"""The sender of instances: AE titles and address of an association, a folder, or nobody known."""

from dataclasses import dataclass

FOLDER = "folder"
"""Stands for the address of what was read from a folder of this machine."""
REBUILT = "rebuilt"
"""Stands for the address of senders that a ledger, made again from files, does not know."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Calling and called AE title of an association, and the requestor's IP address."""

    calling_ae_title: str
    called_ae_title: str
    address: str

    @classmethod
    def of_folder(cls, called_ae_title: str) -> "Sender":
        """The sender of instances that the node reads from a folder of this machine."""
        return cls("", called_ae_title, FOLDER)

    @classmethod
    def unknown(cls) -> "Sender":
        """The sender of instances that a ledger knows from their files only."""
        return cls("UNKNOWN", "UNKNOWN", REBUILT)

    @property
    def is_unknown(self) -> bool:
        """True if the ledger was made again from files since the instances were received."""
        return self.address == REBUILT

    @property
    def is_folder(self) -> bool:
        """True if the instances were read from a folder."""
        return self.address == FOLDER

    def __str__(self) -> str:
        if self.is_folder:
            return "a folder of this machine"
        if self.is_unknown:
            return "a sender that is not known"
        return f"{self.calling_ae_title}@{self.address} to {self.called_ae_title}"
