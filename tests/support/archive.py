"""A peer that answers C-FIND about series, in its own way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at run time
    StudyRootQueryRetrieveInformationModelFind,
)


@dataclass
class Archive:
    """A C-FIND SCP; `holdings` maps a SeriesInstanceUID to SOP Instance UIDs."""

    holdings: dict[str, list[str]] = field(default_factory=dict)
    counts: bool = True
    """Whether it fills in NumberOfSeriesRelatedInstances."""
    status: int = 0x0000
    queries: int = 0

    def __post_init__(self) -> None:
        self._entity = AE(ae_title="ARCHIVE")
        self._entity.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        server: Any = self._entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_FIND, self._on_find)]
        )
        self.port = int(server.socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening."""
        self._entity.shutdown()

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        self.queries += 1
        query = event.identifier
        held = self.holdings.get(str(query.SeriesInstanceUID), [])
        if self.status:
            yield self.status, None
            return
        for uid in held if query.QueryRetrieveLevel == "IMAGE" else held[:1]:
            match = Dataset()
            match.QueryRetrieveLevel = query.QueryRetrieveLevel
            match.StudyInstanceUID = query.StudyInstanceUID
            match.SeriesInstanceUID = query.SeriesInstanceUID
            if query.QueryRetrieveLevel == "IMAGE":
                match.SOPInstanceUID = uid
            elif self.counts:
                match.NumberOfSeriesRelatedInstances = str(len(held))
            yield 0xFF00, match
