#!/usr/bin/env bats
# The contract of every installed train-*: a new tool is under it the moment it is installed.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

root=${BATS_TEST_DIRNAME%/tests/contract}
bin=$(dirname "$(command -v train)")

setup() {
  export TRAINSH_HOME=$BATS_TEST_TMPDIR/home HOME=$BATS_TEST_TMPDIR TMUX_TMPDIR=$BATS_TEST_TMPDIR
  export PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring
  unset XDG_CONFIG_HOME XDG_STATE_HOME NO_COLOR
}

commands_of() { "$1" schema | jq -r '.commands | keys[]'; }

help_works() {
  for words in --help -h; do
    run --separate-stderr "$1" "$words"
    [ "$status" = 0 ]
    [[ ${lines[0]} == "Usage: $(basename "$1")"* ]]
    [ -z "$stderr" ]
  done
  for command in $(commands_of "$1"); do
    run --separate-stderr "$1" "$command" --help
    [ "$status" = 0 ]
    [ -z "$stderr" ]
    [[ ${lines[0]} == Usage:* ]]
  done
}

version_works() {
  run --separate-stderr "$1" --version
  [ "$status" = 0 ]
  [ "$output" = "$(basename "$1") $(train --version | sed 's/.* //')" ]
}

schema_works() {
  "$1" schema | jq -e '
    .program and .summary and .version and (.commands | length > 0)
    and all(.commands[]; .summary != "" and .params.type == "object" and has("returns"))
    and all(.commands[].params.properties[]; .description != "")'
}

help_is_light() { # what costs every start 20 to 120 ms is not loaded by --help
  run bash -c "PYTHONPROFILEIMPORTTIME=1 '$1' --help 2>&1 >/dev/null | sed 's/.*| *//'"
  [[ $output == *click* ]]
  for module in rich requests keyring tomlkit sh textual asyncio tenacity pyrage; do
    if grep -qx "$module" <<<"$output"; then
      echo "$1 --help imports $module" && false
    fi
  done
}

usage_is_2() {
  run --separate-stderr "$1" --no-such-flag
  [ "$status" = 2 ]
  [ -z "$output" ]
  [[ $stderr == error:* ]]
  case $1 in
  */train-help) run -127 --separate-stderr "$1" no-such-command ;; # it answers for the dispatcher
  *) run -2 --separate-stderr "$1" no-such-command ;;
  esac
  [ -z "$output" ]
  [[ $stderr == *no-such-command* ]]
  run --separate-stderr "$1" --no-such-flag --json
  [ "$status" = 2 ]
  [ -z "$output" ]
  jq -e '.error.code and .error.exit == 2' <<<"$stderr"
}

garbage_is_2() {
  for command in $(commands_of "$1"); do
    run --separate-stderr bash -c "printf 'garb\x00age' | '$1' $command --input - --json"
    [ "$status" = 2 ]
    [ -z "$output" ]
    jq -e '.error.message | contains("not JSON")' <<<"$stderr"
    run --separate-stderr bash -c "printf '{\"no_such_key\": 1}' | '$1' $command --input - --json"
    [ "$status" = 2 ]
    jq -e '.error.code == "unknown_parameter"' <<<"$stderr"
  done
}

serve_answers_garbage() {
  run --separate-stderr bash -c "printf 'garbage\n[]\n{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"no-such\"}\n' | '$1' serve"
  [ "$status" = 0 ]
  [ -z "$stderr" ]
  [ "${#lines[@]}" = 3 ]
  [ "$(jq -sc 'map(.error.code)' <<<"$output")" = '[-32700,-32600,-32601]' ]
}

pipes_are_plain() {
  run bash -c "{ '$1' --help; '$1' schema; '$1' no-such; } 2>&1 | grep -c \$'\x1b'"
  [ "$output" = 0 ]
}

head_is_quiet() {
  run --separate-stderr bash -c "'$1' schema | head -n 1; exit \${PIPESTATUS[0]}"
  [ -z "$stderr" ]
  [ "$status" = 141 ] || [ "$status" = 0 ] # 0: all of it fitted into the pipe
}

is_listed() {
  local name
  name=$(basename "$1")
  grep -q "^${name#train-}	[a-z ]*	." "$bin/../share/trainsh/tools/${name#train-}"
  grep -q "\`$name\`" "$root/README.md"
  train --list | grep -qx "${name#train-}"
}

@test "the contract found the tools" {
  [ "$(printf '%s\n' "$bin"/train-* | wc -l)" -ge 1 ]
}

for tool in "$bin"/train-*; do
  name=${tool##*/}
  for rule in help_works version_works schema_works help_is_light usage_is_2 garbage_is_2 serve_answers_garbage \
    pipes_are_plain head_is_quiet is_listed; do
    bats_test_function --description "$name: ${rule//_/ }" -- "$rule" "$tool"
  done
done
