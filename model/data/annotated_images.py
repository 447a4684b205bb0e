"""One drawn image on its way into a data set or into memory."""

from dataclasses import dataclass

from model.data.samples import Image, Masks, SampleEntry, digest_of


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Which series of a patient, and what it is."""

    name: str
    """The data set's own key."""
    modality: str
    source: str
    """`text contours`, `structure set` or `arrays`."""


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One instance as it goes into a data set."""

    number: str
    """With the patient's key its name in the data set."""
    image: Image
    """[row, column], rescaled values."""
    masks: Masks
    """[structure, row, column]."""
    known: tuple[bool, ...]
    pixel_spacing_mm: tuple[float, float]

    def digest(self) -> str:
        """SHA-256 over the contents."""
        return digest_of(self.image, self.masks, self.known, self.pixel_spacing_mm)

    def entry(self, patient: str, series: SeriesKey, index: int = 0) -> SampleEntry:
        """What is known of it without its pixels."""
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
