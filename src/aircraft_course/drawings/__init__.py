"""The course's own teaching drawings, one file a lesson: the notebooks and the slides show the same ones."""
