"""Checks for the exercises of the lessons: `core` has the decorator, `lessonNN` those of a lesson.

`extra_NAME` has those of an extra.

`python -m aircraft_course.checks notebook.ipynb` runs a handed-in notebook and prints a table of scores.
"""

from aircraft_course.checks.core import LAST, Exercise, Outcome, exercise, hint

__all__ = ["LAST", "Exercise", "Outcome", "exercise", "hint"]
