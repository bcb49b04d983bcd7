"""`python -m aircraft_bench`: how fast and how large, measured beside the plain way of doing the same.

One file a benchmark; its `measure(options)` yields its table, so far and at last whole. `suite` runs all.
"""
