#!/bin/sh
# The Python of the instance: a virtual environment of its own, made when it is first used.
if [ ! -x /root/.venv/bin/python ]; then
  /sandbox/interpreter -m venv --without-pip /root/.venv || exit 1
fi
exec /root/.venv/bin/python "$@"
