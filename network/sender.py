"""Who sends to the node: titles and address of an association, or a folder."""

from dataclasses import dataclass

FOLDER = "folder"
"""Instead of an address: what came from a folder of this machine, not through the wire."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who opened an association, and to which AE title of ours."""

    calling_ae_title: str
    called_ae_title: str
    address: str

    @classmethod
    def of_folder(cls, called_ae_title: str) -> "Sender":
        """A folder of this machine, read by the node itself."""
        return cls("", called_ae_title, FOLDER)

    @property
    def is_folder(self) -> bool:
        """Whether nobody sent it: it was read from a folder."""
        return self.address == FOLDER

    def __str__(self) -> str:
        if self.is_folder:
            return "a folder of this machine"
        return f"{self.calling_ae_title}@{self.address} to {self.called_ae_title}"
