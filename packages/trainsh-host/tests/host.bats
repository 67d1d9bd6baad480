#!/usr/bin/env bats
# The installed train-host: exact output, exit statuses, no terminal, pipes. (What needs a machine: test_machines.py.)

bats_require_minimum_version 1.5.0

setup() {
  export TRAINSH_HOME="$BATS_TEST_TMPDIR/home" NO_COLOR=1
  export XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR"
  exec </dev/null
}

add() { train-host add "$@"; }

@test "an empty list is done and prints nothing" {
  run train-host list
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$(train-host list --json)" = "[]" ]
}

@test "add by flags, list, show, resolve, remove" {
  run add gpu --host 1.2.3.4 --user root --port 41022 --tag a100 --notes "by the window"
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "added gpu" ]
  [ "$(train-host list)" = "$(printf 'NAME  TYPE  ADDRESS             THROUGH  TAGS  NOTES\ngpu   ssh   root@1.2.3.4:41022           a100  by the window')" ]
  train-host show gpu | grep -q '^ssh: *ssh -p 41022 root@1.2.3.4$'
  [ "$(train-host resolve gpu --json | jq -c '[.kind, .argv]')" = '["ssh",["ssh","-p","41022","root@1.2.3.4"]]' ]
  [ "$(train-host remove gpu --yes)" = "removed gpu" ]
  [ "$(train-host list --json)" = "[]" ]
}

@test "add reads a pasted ssh command and says what it leaves out" {
  run --separate-stderr add gpu --from 'ssh -p 41022 root@1.2.3.4 -L 8080:localhost:8080'
  [ "$status" -eq 0 ]
  [[ "$stderr" == "left out -L 8080:localhost:8080"* ]]
  [ "$(train-host list --json | jq -r '.[0].address')" = "root@1.2.3.4:41022" ]
}

@test "add reads a Host block on standard input" {
  printf 'Host box other\n  HostName 10.0.0.1\n  User me\n  ProxyJump gate\n  Compression yes\n' |
    train-host add mine --from -
  [ "$(train-host resolve mine --json | jq -c .argv)" = '["ssh","-o","compression=yes","-o","ProxyJump=gate","me@10.0.0.1"]' ]
}

@test "add copies a Host block of the person's own settings" {
  export HOME="$BATS_TEST_TMPDIR"
  mkdir "$HOME/.ssh"
  printf 'Host box\n  HostName 10.0.0.1\n  Port 77\n' >"$HOME/.ssh/config"
  train-host add --alias box
  [ "$(train-host resolve box --json | jq -c .argv)" = '["ssh","-p","77","10.0.0.1"]' ]
  run --separate-stderr train-host add --alias bux
  [ "$status" -eq 3 ]
  [[ "$stderr" == *"did you mean box?"* ]]
  [ "$(cat "$HOME/.ssh/config" | wc -l)" -eq 3 ]
}

@test "add takes its parameters from JSON" {
  echo '{"name": "gpu", "host": "h", "port": 5, "option": ["A=b"]}' | train-host add --input - --json | jq -e '.fields.port == 5'
  run --separate-stderr train-host add --input /dev/stdin <<<'{"name": "x", "hots": "h"}'
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean host?"* ]]
}

@test "without a terminal a missing answer is exit 2 and names the flag" {
  run --separate-stderr add
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--type"* ]]
  run --separate-stderr add gpu --type ssh
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--host"* ]]
  run --separate-stderr add --host h
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"NAME"* ]]
  add gpu --host h
  run --separate-stderr train-host remove gpu
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--yes"* ]]
  run --separate-stderr train-host edit gpu
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--host"* ]]
}

@test "every kind of machine can be added" {
  add here --type local
  add nb --type colab --host x.trycloudflare.com --tunnel cloudflared
  add rented --type vast --instance 123
  [ "$(train-host list --json | jq -c '[.[] | [.name, .type]]')" = '[["here","local"],["nb","colab"],["rented","vast"]]' ]
  [ "$(train-host run here -- 'echo it')" = "it" ]
}

@test "edit changes what is said and nothing else" {
  add gpu --host h --notes n
  echo "# my own remark" >>"$TRAINSH_HOME/hosts.toml"
  train-host edit gpu --port 77 --rename gpu2 --unset notes
  [ "$(train-host show gpu2 --json | jq -c '[.fields.port, .fields.notes]')" = '[77,null]' ]
  grep -q "# my own remark" "$TRAINSH_HOME/hosts.toml"
}

@test "wrong names, ports and options are exit 2" {
  for words in "2gpu --host h" "local --host h" "a.b --host h" "gpu --host h --port 0" "gpu --host h -o nonsense" "gpu --from ;"; do
    # shellcheck disable=SC2086 # words are meant
    run add $words
    [ "$status" -eq 2 ] || { echo "$words: $status"; false; }
  done
  [ ! -e "$TRAINSH_HOME/hosts.toml" ]
}

@test "a taken name is 5, an unknown one 3" {
  add gpu --host h
  run add gpu --host other
  [ "$status" -eq 5 ]
  run --separate-stderr train-host show gpuu.invalid
  [ "$status" -eq 3 ]
  run --separate-stderr train-host remove gpux --yes
  [ "$status" -eq 3 ]
  [[ "$stderr" == *"did you mean gpu?"* ]]
}

@test "an error with --json is one JSON object on stderr, stdout stays empty" {
  run --separate-stderr train-host resolve 'me@box -p x' --json
  [ "$status" -eq 2 ]
  [ -z "$output" ]
  [ "$(jq -r .error.code <<<"$stderr")" = "bad_port" ]
}

@test "a file that does not parse is named with its line and left alone" {
  mkdir -p "$TRAINSH_HOME"
  printf '[[hosts]]\nname = \n' >"$TRAINSH_HOME/hosts.toml"
  run --separate-stderr add gpu --host h
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"hosts.toml"*"line 2"* ]]
  [ "$(wc -l <"$TRAINSH_HOME/hosts.toml")" -eq 2 ]
}

@test "specs resolve without a file" {
  [ "$(train-host resolve local --json | jq -r .kind)" = "local" ]
  [ "$(train-host resolve 'me@box -p 2222 -J gate' --json | jq -c .argv)" = '["ssh","-p","2222","-o","ProxyJump=gate","me@box"]' ]
  run train-host resolve placeholder
  [ "$status" -eq 2 ]
}

@test "this machine: run, test, disconnect" {
  run train-host run local -- 'exit 7'
  [ "$status" -eq 7 ]
  [ "$(echo in | train-host run local -- cat)" = "in" ]
  [ "$(train-host test local --json | jq -r '.[0].stage')" = "tmux" ]
  [ "$(train-host disconnect local)" = "nothing was connected" ]
}

@test "serve answers" {
  add gpu --host h
  ask() { printf '{"jsonrpc":"2.0","id":%s,"method":"resolve","params":{"name":"%s"}}\n' "$1" "$2"; }
  run bash -c "printf '%s' '$(ask 1 gpu && echo && ask 2 'me@' && echo)' | train-host serve"
  [ "$status" -eq 0 ]
  [ "$(jq -r 'select(.id == 1) | .result.argv[1]' <<<"$output")" = "h" ]
  [ "$(jq -r 'select(.id == 2) | .error.data.exit' <<<"$output")" = "2" ]
}

@test "head and a closed standard output are quiet and honest" {
  for number in 1 2 3; do add "h$number" --host h >/dev/null; done
  run bash -c 'train-host list | head -1'
  [ "$output" = "NAME  TYPE  ADDRESS  THROUGH  TAGS  NOTES" ]
  run bash -c 'train-host list --json >&-'
  [ "$status" -ne 0 ]
}
