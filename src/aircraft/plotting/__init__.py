"""Figures of data, training and results. Each function returns its Axes: `ax` where given, else those of a
new figure. `save` writes a figure and closes it.

Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart; shapes say the same again.
"""
# ruff: noqa: F401, I001

from aircraft.plotting.curves import confusion_matrix, counts, learning_curves, precision_recall
from aircraft.plotting.curves import roc, score_histograms
from aircraft.plotting.pictures import detections, misclassified, patch_grid, score_map, tiles_overview
from aircraft.plotting.style import figure_of, save
