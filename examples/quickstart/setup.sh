#!/bin/sh
# Make ./python: a Python 3 with what requirements.txt asks for.
#
#   sh setup.sh [PYTHON]      PYTHON is tried first (default: python3)
#
# When PYTHON has numpy it is used as it is. Else a virtual environment is made here, once.
set -eu

python=${1:-python3}

has_numpy() {
  "$1" -c 'import sys, numpy; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1
}

command -v "$python" >/dev/null 2>&1 || {
  echo "setup.sh: no $python on this machine; name one: --var PYTHON=/path/to/python3" >&2
  exit 1
}

if ! has_numpy "$python"; then
  if ! has_numpy .venv/bin/python; then
    echo "$python has no numpy: making a virtual environment in $(pwd)/.venv"
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
  fi
  python=$(pwd)/.venv/bin/python
fi

# A link would hide the virtual environment from Python, so it is a script of two lines.
rm -f python
printf '#!/bin/sh\nexec "%s" "$@"\n' "$(command -v "$python")" >python
chmod +x python
./python -c 'import sys, numpy; print("python", sys.version.split()[0], "with numpy", numpy.__version__)'
