"""The sender of instances: AE titles and address of an association, or a folder."""

from dataclasses import dataclass

FOLDER = "folder"
"""Stands for the address of what was read from a folder of this machine."""


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

    @property
    def is_folder(self) -> bool:
        """True if the instances were read from a folder."""
        return self.address == FOLDER

    def __str__(self) -> str:
        if self.is_folder:
            return "a folder of this machine"
        return f"{self.calling_ae_title}@{self.address} to {self.called_ae_title}"
