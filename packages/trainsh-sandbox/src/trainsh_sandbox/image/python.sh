#!/bin/sh
# Runs the instance's own Python. It is a virtual environment, which is created when it is first used.
if [ ! -x /root/.venv/bin/python ]; then
  /sandbox/interpreter -m venv --without-pip /root/.venv || exit 1
fi
exec /root/.venv/bin/python "$@"
