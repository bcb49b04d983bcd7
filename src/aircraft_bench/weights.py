"""The patch_net that detection and scale are measured with: trained for a moment on the toy set.

Speed does not depend on the weights, but the number of peaks and the differences of score maps do.
"""

from pathlib import Path

import torch

from aircraft import datasets, metrics, models, training
from aircraft_bench.options import Options

EPOCHS = 5
QUICK_SCALE = 0.05  # of the toy set


def write(path: Path, options: Options) -> Path:
    """Train, and write a model file."""
    scale = QUICK_SCALE if options.quick else 1.0
    toy = datasets.load_toy(options.source, options.root, scale=scale, progress=options.progress)
    learn, val = datasets.split(toy.train, fraction=0.2, seed=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.build("patch_net")
    training.fit(
        network, learn, val, epochs=EPOCHS, batch_size=16 if options.quick else 64, device="cpu",
        progress=options.progress,
    )  # fmt: skip
    threshold = metrics.choose_threshold(val.labels, training.predict(network, val.images), beta=1)
    models.save(network, path, threshold=threshold, provenance={"for": "aircraft_bench"})
    return path
