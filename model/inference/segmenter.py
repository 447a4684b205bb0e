"""What a pipeline needs of a model that draws structures, whatever computes it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from core.job import Report
from imaging.instances.header import Header
from model.inference.card import ModelCard

Mask = npt.NDArray[np.bool_]


class Segmenter(Protocol):
    """A model, loaded from its file and ready to draw."""

    @property
    def card(self) -> ModelCard:
        """What the model says of itself."""

    @property
    def sha256(self) -> str:
        """Hash of the model's file, hexadecimal."""

    def check_fits(self, headers: Sequence[Header]) -> None:
        """Nothing, when the model may be used on a series with these `headers`.

        Raises:
            ModelError: it may not; the message says what was expected.
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
            report: told of the progress.

        Raises:
            ModelError: the images cannot be segmented.
        """

    def remarks(self, masks: Mapping[str, Mask]) -> list[str]:
        """Warnings for a person who looks at these masks of `predict`."""
