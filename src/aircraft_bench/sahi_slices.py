"""SAHI's sliced prediction around our classifier: each slice is a window, its score the window's.

sahi is a dependency of the benchmark only; see `bench` in pyproject.toml for how it is installed.
"""

from typing import Any

import numpy as np
import torch
from sahi.models.base import DetectionModel
from sahi.predict import get_sliced_prediction
from sahi.prediction import ObjectPrediction
from sahi.utils.compatibility import fix_full_shape_list, fix_shift_amount_list
from torch import nn

from aircraft.patches import PATCH


class SlicedClassifier(DetectionModel):
    """A detector, as SAHI sees it, that answers each slice with one box: the slice, with its score."""

    def set_model(self, model: nn.Module, **_: Any) -> None:
        """Take the classifier."""
        self.model = model.eval()
        self.category_mapping = {"0": "aircraft"}

    def perform_inference(self, image: np.ndarray) -> None:
        """Score one slice (64, 64, 3) uint8."""
        self._original_predictions = self._scores([image])

    def _create_object_prediction_list_from_original_predictions(
        self, shift_amount_list: Any = None, full_shape_list: Any = None
    ) -> None:
        shifts = fix_shift_amount_list(shift_amount_list or [[0, 0]])
        shapes = fix_full_shape_list(full_shape_list or [[PATCH, PATCH]]) or []
        self._object_prediction_list_per_image = [
            [
                ObjectPrediction(
                    bbox=[0, 0, PATCH, PATCH], category_id=0, category_name="aircraft", score=float(score),
                    shift_amount=shift, full_shape=shape,
                )
            ]
            for score, shift, shape in zip(self._original_predictions, shifts, shapes, strict=True)
        ]  # fmt: skip

    def _scores(self, images: list[np.ndarray]) -> np.ndarray:
        batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)  # (n, 3, 64, 64)
        with torch.inference_mode():
            return self.model(batch).sigmoid().numpy()


class BatchedClassifier(SlicedClassifier):
    """The same, but it scores as many slices at once as SAHI hands it."""

    def perform_batch_inference(self, images: list[np.ndarray]) -> None:
        """Score slices (64, 64, 3) uint8."""
        self._original_predictions = self._scores(images)


def score_map(detector: SlicedClassifier, pixels: np.ndarray, stride: int, batch_size: int = 1) -> np.ndarray:
    """(rows, columns) scores of the windows of an image, by SAHI's public API.

    Its post-processing is told to suppress nothing (no two slices overlap wholly), and the second look at
    the whole image is left out: a score map needs neither.
    """
    overlap = 1 - stride / PATCH
    found = get_sliced_prediction(
        pixels, detector, slice_height=PATCH, slice_width=PATCH, overlap_height_ratio=overlap,
        overlap_width_ratio=overlap, perform_standard_pred=False, postprocess_type="NMS",
        postprocess_match_metric="IOU", postprocess_match_threshold=1.0, verbose=0, batch_size=batch_size,
    )  # fmt: skip
    size = [(length - PATCH) // stride + 1 for length in pixels.shape[:2]]
    scores = np.full(size, np.nan, np.float32)
    for box in found.object_prediction_list:
        x, y = box.bbox.minx, box.bbox.miny
        scores[int(y) // stride, int(x) // stride] = box.score.value
    return scores
