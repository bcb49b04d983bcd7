"""The one exception for bad input: its message is a line that a user can act on.

The command line prints that line and ends with exit code 2; anything else is a fault of ours.
"""


class InputError(ValueError):
    """What was given cannot be used. The message says what is wrong, in which file, and how to mend it."""
