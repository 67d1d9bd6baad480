#!/bin/sh
# Runs pip for the instance's own Python. On first use, pip is installed from the wheel that comes with Python.
if ! python -c 'import pip' 2>/dev/null; then
  python -m ensurepip --default-pip >/dev/null || exit 1
fi
PIP_ROOT_USER_ACTION=ignore exec python -m pip --disable-pip-version-check "$@"
