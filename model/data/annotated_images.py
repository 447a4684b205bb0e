"""Images with masks drawn by hand, before they are written to a data set."""

from dataclasses import dataclass

from model.data.samples import Image, Masks, SampleEntry, digest_of


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Key, modality and source of one series of a patient."""

    name: str
    """Key of the series in the data set."""
    modality: str
    source: str
    """`text contours`, `structure set` or `arrays`."""


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """Image, masks and pixel spacing of one instance of a data set."""

    number: str
    """Name of the instance in the data set, unique within its patient."""
    image: Image
    """[row, column], rescaled values."""
    masks: Masks
    """[structure, row, column]."""
    known: tuple[bool, ...]
    """For each structure, True if it was drawn on this instance."""
    pixel_spacing_mm: tuple[float, float]
    """Distance between rows, then between columns."""

    def digest(self) -> str:
        """SHA-256 over image, masks, known structures and pixel spacing, as `digest_of`."""
        return digest_of(self.image, self.masks, self.known, self.pixel_spacing_mm)

    def entry(self, patient: str, series: SeriesKey, index: int = 0) -> SampleEntry:
        """Entry of this instance at place `index` of `series`, without its pixels."""
        return SampleEntry(
            key=f"{patient}/{self.number}",
            patient=patient,
            series=series.name,
            index=index,
            shape=(self.image.shape[0], self.image.shape[1]),
            pixel_spacing_mm=self.pixel_spacing_mm,
            known=self.known,
            modality=series.modality,
            digest=self.digest(),
        )
