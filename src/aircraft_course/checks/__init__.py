"""Checks for the exercises of the lessons: `core` has the decorator, `lessonNN` the checks of a lesson.

`python -m aircraft_course.checks notebook.ipynb` runs a handed-in notebook and prints a table of scores.
"""

from aircraft_course.checks.core import LAST, Exercise, Outcome, exercise, hint

__all__ = ["LAST", "Exercise", "Outcome", "exercise", "hint"]
