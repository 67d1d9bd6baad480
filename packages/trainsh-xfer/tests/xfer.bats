#!/usr/bin/env bats
# train-xfer as installed: what a shell user sees.
bats_require_minimum_version 1.5.0

setup() {
  export HOME="$BATS_TEST_TMPDIR/home" TRAINSH_HOME="$BATS_TEST_TMPDIR/trainsh" NO_COLOR=1
  mkdir -p "$HOME" "$BATS_TEST_TMPDIR/work/src/sub"
  cd "$BATS_TEST_TMPDIR/work" || return 1
  printf one >src/a.txt
  printf two >src/sub/b.ckpt
}

@test "copies a tree and sums it up" {
  run train-xfer copy src/ new/deep/dst
  [ "$status" -eq 0 ]
  [[ "$output" == "copied 2 files, 6 B in "* ]]
  diff -r src new/deep/dst
  run train-xfer copy src/ new/deep/dst
  [[ "$output" == "unchanged in "* ]]
}

@test "--debug shows the command line of rsync" {
  run --separate-stderr train-xfer copy src/ dst --debug
  [[ "$status" = 0 && "$stderr" == *"+ "*"rsync -"*"src/"*"dst"* ]]
}

@test "--json is one document" {
  run --separate-stderr train-xfer copy src/ dst --json
  [ "$status" -eq 0 ]
  [ "$(jq -c '[.files, .bytes, .deleted, .dry_run]' <<<"$output")" = '[2,6,0,false]' ]
  [ "$stderr" = "" ]
}

@test "--dry-run --delete lists and changes nothing" {
  mkdir dst
  printf old >dst/old
  run train-xfer copy src/ dst --delete --dry-run --exclude '*.ckpt'
  [ "$status" -eq 0 ]
  [[ "$output" =~ create\ +3\ B\ \ a.txt ]]
  [[ "$output" =~ delete\ +old ]]
  [[ "$output" == *"would copy 1 file, 3 B, delete 1" ]]
  [ "$(ls dst)" = old ]
}

@test "parameters as JSON on standard input, flags over them" {
  run train-xfer copy --input - --exclude 'a.*' <<<'{"source": "src/", "destination": "dst", "exclude": ["sub"]}'
  [ "$status" -eq 0 ]
  [ "$(cd dst && find . -type f)" = ./sub/b.ckpt ]
}

@test "a recipe's names are given as parameters" {
  run train-xfer copy src/a.txt @out:/m/ --storage "out=file:$PWD/store"
  [ "$status" -eq 0 ]
  [ "$(cat store/m/a.txt)" = one ]
}

@test "--jsonl ends with the result" {
  run train-xfer copy src/ dst --jsonl
  [ "$status" -eq 0 ]
  [ "$(tail -1 <<<"$output" | jq -r .event)" = result ]
  [ "$(jq -r .event <<<"$output" | sort -u | tr '\n' ' ')" = "progress result " ]
}

@test "no such source is 3 and names it" {
  run train-xfer copy nothing dst
  [ "$status" -eq 3 ]
  [[ "$output" == "error: no such file or folder: "*/nothing* ]]
  [ ! -e dst ]
}

@test "an error with --json is one object on stderr" {
  run --separate-stderr train-xfer copy nothing dst --json
  [ "$status" -eq 3 ]
  [ "$output" = "" ]
  [ "$(jq -r .error.code <<<"$stderr")" = no_file ]
}

@test "a storage without credentials is 4 and names the command that sets them; no folder of that name is made" {
  unset R2_ACCESS_KEY R2_SECRET_KEY
  R2_ACCOUNT_ID=acc PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring run train-xfer copy src r2:bucket/x
  [ "$status" -eq 4 ]
  [[ "$output" == *"train secrets set R2_ACCESS_KEY"* ]]
  [ ! -e r2:bucket ]
}

@test "a placeholder is 2 and names the flag" {
  run train-xfer copy src @gpu:/x --host gpu=placeholder
  [ "$status" -eq 2 ]
  [[ "$output" == *"--host gpu=SPEC"* ]]
}

@test "--delete into a home folder is 2" {
  run train-xfer copy src/ "$HOME" --delete
  [ "$status" -eq 2 ]
  [[ "$output" == *"--force"* ]]
}

@test "a path with an odd name is shown on one line" {
  printf x >src/$'new\nline'
  run train-xfer copy src/ dst -n
  [ "$status" -eq 0 ]
  [[ "$output" == *'new\nline'* ]]
}

@test "serve answers, with progress events before" {
  coproc SERVE { train-xfer serve; }
  printf '{"jsonrpc":"2.0","id":1,"method":"copy","params":{"source":"src/","destination":"dst","cwd":"%s"}}\n' \
    "$PWD" >&"${SERVE[1]}"
  seen=""
  while read -r -t 60 line <&"${SERVE[0]}"; do
    seen+="$(jq -r '.params.kind // (.result.files | tostring)' <<<"$line") "
    [ "$(jq .id <<<"$line")" = null ] || break
  done
  [[ "$seen" =~ ^(progress\ )+2\ $ ]]
}

@test "an unknown option is 2" {
  run train-xfer copy src dst --nonsense
  [ "$status" -eq 2 ]
}

@test "no rsync is 9 and says how to install it" {
  mkdir bin
  for program in train-xfer env; do ln -s "$(command -v "$program")" "bin/$program"; done
  PATH="$PWD/bin" run train-xfer copy src dst
  [ "$status" -eq 9 ]
  [[ "$output" == *"rsync is not installed"* ]]
}

@test "a storage's name where a host's is expected is answered with how it is written" {
  train-storage add models "file:$BATS_TEST_TMPDIR/models" --no-test </dev/null >/dev/null
  run --separate-stderr train-xfer copy src/ @models:/c/
  [ "$status" -eq 3 ]
  [[ "$stderr" == *"no host 'models'"*"storage:models:/c/"* ]]
  train-xfer copy src/ storage:models:/c/
  run --separate-stderr train-xfer copy src/ @modesl:/c/
  [ "$status" -eq 3 ]
  [[ "$stderr" == *"train host list"* ]]
}
