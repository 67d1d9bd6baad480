# The dispatcher, in every shell that is here: a folder of its own, tools made of a few lines, nobody's PATH.

bats_require_minimum_version 1.5.0

setup() {
  root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  bin=$BATS_TEST_TMPDIR/prefix/bin
  elsewhere="$BATS_TEST_TMPDIR/else where"
  mkdir -p "$bin" "$elsewhere"
  cp "$root/bin/train" "$bin/train"
  train=$bin/train
  tool "$bin" recipe 'printf "recipe"; printf " [%s]" "$@"; echo'
  tool "$bin" xfer 'printf "xfer"; printf " [%s]" "$@"; echo'
  tool "$elsewhere" foo 'printf "foo"; printf " [%s]" "$@"; echo; exit 5'
  shortcuts=$BATS_TEST_TMPDIR/prefix/share/trainsh/aliases
  mkdir -p "$shortcuts"
  echo 'recipe run' >"$shortcuts/run"
  echo 'xfer copy' >"$shortcuts/transfer"
  PATH=$elsewhere:/usr/bin:/bin
}

tool() { # FOLDER NAME SCRIPT
  printf '#!/bin/sh\n%s\n' "$3" >"$1/train-$2"
  chmod +x "$1/train-$2"
}

# Each shell that is here runs the same words; what they print and their status must agree with what is said.
in_every_shell() { # STATUS OUTPUT WORDS...
  local status_wanted=$1 output_wanted=$2 shell
  shift 2
  for shell in sh dash bash 'busybox sh'; do
    command -v "${shell%% *}" >/dev/null || continue
    # shellcheck disable=SC2086 # `busybox sh` is two words
    run "-$status_wanted" $shell "$train" "$@"
    [ "$output" = "$output_wanted" ] || { echo "$shell: $output" && return 1; }
  done
}

@test "a tool beside train runs with its arguments as they are" {
  in_every_shell 0 'recipe [run] [a b] [] [*] [--x=$HOME]' recipe run 'a b' '' '*' '--x=$HOME'
}

@test "a stranger on PATH runs, and its status is train's" {
  in_every_shell 5 'foo [1]' foo 1
}

@test "the tool beside train wins over one on PATH, whatever PATH says" {
  tool "$elsewhere" xfer 'echo wrong'
  in_every_shell 0 'xfer [copy]' xfer copy
}

@test "a shortcut is a file that a package brings, and it is gone with the package" {
  in_every_shell 0 'recipe [run] [quickstart] [--var] [A=1]' run quickstart --var A=1
  in_every_shell 0 'xfer [copy] [./a b] [gpu:/b]' transfer './a b' gpu:/b
  in_every_shell 0 "run=recipe run
transfer=xfer copy" --aliases
  rm "$shortcuts/run"
  in_every_shell 127 "error: train has no command 'run'
  train --list names those it has" run
  rm -r "$shortcuts"
  in_every_shell 0 '' --aliases
}

@test "bin/train of a checkout finds the tools of its .venv" {
  mkdir -p "$BATS_TEST_TMPDIR/checkout/bin" "$BATS_TEST_TMPDIR/checkout/.venv"
  cp "$root/bin/train" "$BATS_TEST_TMPDIR/checkout/bin/train"
  ln -s "$bin" "$BATS_TEST_TMPDIR/checkout/.venv/bin"
  tool "$bin" help 'echo help'
  train=$BATS_TEST_TMPDIR/checkout/bin/train
  in_every_shell 0 'recipe [list]' recipe list
}

@test "--list --json is train-help's, which knows what each tool is for" {
  tool "$bin" help 'printf help; printf " [%s]" "$@"; echo'
  in_every_shell 0 'help [commands] [--json]' --list --json
  in_every_shell 2 'usage: train --list [--json]' --list --jsn
}

@test "links to train are followed, relative ones and links to links" {
  mkdir "$BATS_TEST_TMPDIR/links"
  ln -s ../prefix/bin/train "$BATS_TEST_TMPDIR/links/one"
  ln -s one "$BATS_TEST_TMPDIR/links/two"
  train=$BATS_TEST_TMPDIR/links/two
  in_every_shell 0 'xfer [x]' xfer x
  in_every_shell 0 "$bin" --exec-path
}

@test "train works through PATH, from its own folder, and after sh" {
  PATH=$bin:$PATH run train xfer 1
  [ "$output" = 'xfer [1]' ]
  cd "$bin"
  run ./train xfer 2
  [ "$output" = 'xfer [2]' ]
  run sh train xfer 3
  [ "$output" = 'xfer [3]' ]
  cd /
  PATH=$bin:$PATH run bash train xfer 4
  [ "$output" = 'xfer [4]' ]
}

@test "an unknown word is 127, with or without train-help" {
  in_every_shell 127 "error: train has no command 'nope'
  train --list names those it has" nope
  tool "$bin" help 'echo "help: $*" >&2; exit 127'
  in_every_shell 127 'help: unknown -- nope' nope
}

@test "a word with a slash, a blank or a semicolon names no command and runs nothing" {
  printf '#!/bin/sh\necho ran\n' >"$BATS_TEST_TMPDIR/train-evil"
  chmod +x "$BATS_TEST_TMPDIR/train-evil"
  for word in "/../../train-evil" "x/../../train-evil" 'a b' 'run=recipe run;exec' '*' ''; do
    in_every_shell 127 "error: train has no command '$word'
  train --list names those it has" "$word"
  done
}

@test "a file that may not be executed is 126 and named, unless another can run" {
  printf '#!/bin/sh\n' >"$bin/train-locked"
  in_every_shell 126 "error: $bin/train-locked is not executable
  chmod +x '$bin/train-locked'" locked
  tool "$elsewhere" locked 'echo ran'
  in_every_shell 0 'ran' locked
  mkdir "$bin/train-folder"
  in_every_shell 127 "error: train has no command 'folder'
  train --list names those it has" folder
}

@test "--list names each tool once and marks those on PATH" {
  tool "$elsewhere" xfer 'echo hidden'
  printf 'not a program\n' >"$bin/train-notes"
  tool "$elsewhere" 'foo~' 'echo backup'
  run env PATH="$bin:$elsewhere:$elsewhere" /bin/sh "$train" --list
  [ "$status" -eq 0 ]
  [ "$output" = "recipe
xfer
foo	on PATH" ]
}

@test "listing runs no tool" {
  tool "$bin" recipe 'touch "$BATS_TEST_TMPDIR/ran"'
  tool "$elsewhere" foo 'touch "$BATS_TEST_TMPDIR/ran"'
  run "$train" --list
  [ "$status" -eq 0 ]
  [ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "--version is the distribution's, an unknown option is 2" {
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/packages/tmux-trainsh/pyproject.toml")
  in_every_shell 0 "train $version" --version
  in_every_shell 2 'error: train has no option --nope
  usage: train [--help | --version | --list [--json] | --exec-path] [-q | -v | --json] COMMAND [ARGUMENTS]' --nope
}

@test "options of every command may stand before it, and -v alone is the version, as with git" {
  in_every_shell 0 "train $(sed -n 's/^version = "\(.*\)"/\1/p' "$root/packages/tmux-trainsh/pyproject.toml")" -v
  tool "$bin" help 'echo "help $*"'
  tool "$bin" foo 'printf foo; for word in "$@"; do printf " [%s]" "$word"; done; echo'
  in_every_shell 0 'help -q' -q
  in_every_shell 0 'foo [do] [-v] [--json] [a b] [--]' -v --json foo do 'a b' --
  in_every_shell 0 'foo' --debug foo
  in_every_shell 0 'help commands --json' --json --list
}

@test "train, --help, -h and help give their arguments to train-help" {
  tool "$bin" help 'printf help; for word in "$@"; do printf " [%s]" "$word"; done; echo'
  in_every_shell 0 'help'
  in_every_shell 0 'help' --help
  in_every_shell 0 'help [run]' -h run
  in_every_shell 0 'help [xfer] [copy]' help xfer copy
  rm "$bin/train-help"
  run "$train" --help
  [ "$status" -eq 9 ]
  [[ $output == *'train-help'*'not installed'* ]]
}

@test "standard input and output pass through, and signals reach the tool" {
  tool "$bin" cat 'cat'
  run bash -c "printf 'one\ntwo' | '$train' cat"
  [ "$output" = "one
two" ]
  tool "$bin" pid 'echo $$; kill -TERM $$'
  run bash -c "'$train' pid & wait \$!; echo \"status \$?\"; echo \"pid \$!\""
  [ "${lines[1]}" = 'status 143' ]
  [ "${lines[2]}" = "pid ${lines[0]}" ]
}

@test "an odd IFS and an empty PATH entry change nothing" {
  cd "$elsewhere"
  IFS=/. PATH=:/usr/bin:/bin run "$train" foo x
  [ "$output" = 'foo [x]' ]
  [ "$status" -eq 5 ]
}

@test "no other program is needed on the way to a tool" {
  run env PATH=/nowhere /bin/sh "$train" xfer 1
  [ "$output" = 'xfer [1]' ]
  run env PATH=/nowhere /bin/sh "$train" --list
  [ "$output" = 'recipe
xfer' ]
}

@test "nothing is forked on the way to a tool" {
  command -v strace >/dev/null || skip 'needs strace'
  run strace -f -qq -e trace=process -o "$BATS_TEST_TMPDIR/calls" "$train" foo
  [ "$status" -eq 5 ]
  run grep -c -E 'fork|clone' "$BATS_TEST_TMPDIR/calls"
  [ "$output" = 0 ]
}
