"""One file a command. Heavy imports stand inside the functions, so that `aircraft --help` is quick.

A command returns an `Answer`; `aircraft.cli` prints it. What a command does can all be done from Python too.
"""
