"""Interface between a pipeline and a model that draws structures."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.job import Report
from imaging.instances.header import Header
from model.inference.card import ModelCard

Mask = npt.NDArray[np.bool_]


class Segmenter(Protocol):
    """Model loaded from its file, independent of the library that runs it."""

    @property
    def card(self) -> ModelCard:
        """Card of the model."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the model's file, hexadecimal."""

    def check_fits(self, headers: Sequence[Header]) -> None:
        """Check that the model may be used on a series with these `headers`.

        Raises:
            ModelError: the series does not fit; the message states what was expected.
        """

    def predict(
        self,
        images: npt.NDArray[np.float32],
        pixel_spacing_mm: tuple[float, float],
        report: Report | None = None,
    ) -> dict[str, Mask]:
        """Masks [instance, row, column] by the name of each structure on the card.

        Args:
            images: rescaled values [instance, row, column].
            pixel_spacing_mm: the distance between rows, then between columns.
            report: called with the progress, 0 to 1, and a text.

        Raises:
            ModelError: the images cannot be segmented.
        """

    def remarks(self, masks: Mapping[str, Mask]) -> list[str]:
        """Warnings for a person who reviews `masks`, the result of `predict`."""
