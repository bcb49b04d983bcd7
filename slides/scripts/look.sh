#!/usr/bin/env bash
# The same as look.py, with the course's Python.
exec nice -n 15 "$(dirname "$0")/../../.venv/bin/python" "$(dirname "$0")/look.py" "$@"
