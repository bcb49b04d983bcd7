"""The parts of `notebooks/build.py`: one hand-written source of a lesson becomes three notebooks."""
