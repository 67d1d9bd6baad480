#!/bin/sh
# Runs the instance's own Python, which is a virtual environment that is created on first use.
if [ ! -x /root/.venv/bin/python ]; then
  /sandbox/interpreter -m venv --without-pip /root/.venv || exit 1
fi
exec /root/.venv/bin/python "$@"
