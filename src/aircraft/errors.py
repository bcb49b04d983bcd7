"""Exceptions whose message is a line that a user can act on: bad input, and a lost process of a job.

The command line prints that line and ends with exit code 2 or 1; any other one is a fault of ours.
"""


class InputError(ValueError):
    """What was given cannot be used. The message says what is wrong, in which file, and how to mend it."""


class LostProcess(RuntimeError):
    """Another process of a torchrun job died or hangs. The message says how to go on."""
