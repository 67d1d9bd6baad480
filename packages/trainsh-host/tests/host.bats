#!/usr/bin/env bats
# The installed train-host: exact output, exit statuses, no terminal, pipes. (What needs a machine: test_machines.py.)

bats_require_minimum_version 1.5.0

setup() {
  export TRAINSH_HOME="$BATS_TEST_TMPDIR/home" NO_COLOR=1
  export XDG_RUNTIME_DIR="$BATS_TEST_TMPDIR"
  exec </dev/null
}

add() { train-host add "$@"; }

@test "an empty list is done and says how to add one" {
  run --separate-stderr train-host list --no-providers
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  [ "$stderr" = "No hosts yet. Add one: train host add NAME user@host" ]
  [ "$(train-host list --no-providers --json)" = "[]" ]
}

@test "a name and a spec, as the README types them" {
  [ "$(add gpu me@gpu-box -p 41022 | head -1)" = "added gpu" ]
  [ "$(train-host resolve gpu --json | jq -c .argv)" = '["ssh","-p","41022","me@gpu-box"]' ]
  add one 1.2.3.4:41022
  add two 'ssh –p 41022 root@1.2.3.4'
  [ "$(train-host resolve one --json | jq -c .argv)" = '["ssh","-p","41022","1.2.3.4"]' ]
  [ "$(train-host resolve two --json | jq -c .argv)" = '["ssh","-p","41022","root@1.2.3.4"]' ]
  run add three 'root@1.2.3.4 -i <PATH_TO_PRIVATE_KEY>'
  [ "$status" -eq 2 ]
  [[ "$output" == *"<PATH_TO_PRIVATE_KEY> is an example to be replaced"* ]]
  run --separate-stderr add me@box
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"NAME"* ]]
}

@test "what show prints, add reads" {
  add gpu me@gpu-box -p 41022 -J gate --tag a100
  train-host show gpu --json | jq '.name = "again"' | train-host add --input -
  [ "$(train-host show again --json | jq -c '[.host, .user, .port, .jump]')" = '["gpu-box","me",41022,"gate"]' ]
}

@test "a pasted ssh command needs no quotes" {
  add gpu ssh -p 41022 -o "ProxyCommand=nc %h %p" root@1.2.3.4 -L 8080:localhost:8080 --json
  [ "$(train-host show gpu --json | jq -c .ssh)" = '["ssh","-p","41022","-o","ProxyCommand=nc %h %p","root@1.2.3.4"]' ]
  run --separate-stderr add ssh -p 41022 root@1.2.3.4
  [[ "$status" = 2 && "$stderr" == *NAME* ]]
}

@test "machines of ~/.ssh/config are imported" {
  export HOME="$BATS_TEST_TMPDIR"
  run train-host import
  [[ "$status" = 2 && "$output" == *"~/.ssh/config names no hosts"* ]]
  mkdir "$HOME/.ssh"
  printf 'Host *\n  User all\nHost box\n  HostName 10.0.0.1\nHost two 2bad\n  Port 77\n' >"$HOME/.ssh/config"
  run train-host import
  [ "$status" -eq 2 ]
  [[ "$output" == *"box, two"* ]]
  [ "$(train-host import box)" = "added box" ]
  [ "$(train-host import --all --json)" = '[{"name":"two"}]' ]
  [ "$(train-host import --all)" = "nothing to import" ]
  [ "$(train-host resolve box --json | jq -c .argv)" = '["ssh","10.0.0.1"]' ]
  run train-host import nosuch
  [ "$status" -eq 3 ]
}

@test "a byte order mark in hosts.toml is no error, a wrong value is said in words" {
  mkdir -p "$TRAINSH_HOME"
  printf '\xef\xbb\xbf[[hosts]]\nname = "gpu"\nhostname = "h"\n' >"$TRAINSH_HOME/hosts.toml"
  [ "$(train-host resolve gpu --json | jq -c .argv)" = '["ssh","h"]' ]
  train-host edit gpu --notes n
  printf 'port = "22"\n' >>"$TRAINSH_HOME/hosts.toml"
  run train-host resolve gpu
  [ "$status" -eq 2 ]
  [[ "$output" == *"port: expected a whole number, got text"* ]]
}

@test "add by flags, list, show, resolve, remove" {
  run add gpu --host 1.2.3.4 --user root --port 41022 --tag a100 --notes "by the window"
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "added gpu" ]
  [ "$(train-host list --no-providers)" = "$(printf 'NAME  TYPE  ADDRESS             THROUGH  TAGS  NOTES\ngpu   ssh   root@1.2.3.4:41022           a100  by the window')" ]
  train-host show gpu | grep -q '^ssh: *ssh -p 41022 root@1.2.3.4$'
  [ "$(train-host resolve gpu --json | jq -c '[.kind, .argv]')" = '["ssh",["ssh","-p","41022","root@1.2.3.4"]]' ]
  [ "$(train-host remove gpu --yes)" = "removed gpu" ]
  [ "$(train-host list --no-providers --json)" = "[]" ]
}

@test "add reads a pasted ssh command and says what it leaves out" {
  run --separate-stderr add gpu --from 'ssh -p 41022 root@1.2.3.4 -L 8080:localhost:8080'
  [ "$status" -eq 0 ]
  [[ "$stderr" == "ignored -L 8080:localhost:8080"* ]]
  [ "$(train-host list --no-providers --json | jq -r '.[0].address')" = "root@1.2.3.4:41022" ]
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
  echo '{"name": "gpu", "host": "h", "port": 5, "option": ["A=b"]}' | train-host add --input - --json | jq -e '.port == 5'
  run --separate-stderr train-host add --input /dev/stdin <<<'{"name": "x", "hots": "h"}'
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean host?"* ]]
}

@test "without a terminal a missing answer is exit 2 and names the flag" {
  run --separate-stderr add
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"address is missing"*"--type"* ]]
  run --separate-stderr add gpu --type ssh
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--host"* ]]
  run --separate-stderr add --host h
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"NAME"* ]]
  add gpu --host h
  run --separate-stderr add gpu
  [ "$status" -eq 5 ]
  run --separate-stderr train-host remove gpu
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--yes"* ]]
  run --separate-stderr train-host edit gpu
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"--host"* ]]
}

@test "every kind of machine can be added" {
  add here --type local
  add nb x.trycloudflare.com --tunnel cloudflared
  add rented acme:123
  [ "$(train-host list --no-providers --json | jq -c '[.[] | [.name, .type, .address]]')" = \
    '[["here","local",null],["nb","colab","x.trycloudflare.com"],["rented","provider","acme:123"]]' ]
  [ "$(train-host run here -- 'echo it')" = "it" ]
}

@test "edit changes what is said and nothing else" {
  add gpu --host h --notes n
  echo "# my own remark" >>"$TRAINSH_HOME/hosts.toml"
  train-host edit gpu --port 77 --rename gpu2 --unset notes
  [ "$(train-host show gpu2 --json | jq -c '[.port, .notes]')" = '[77,null]' ]
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
  [[ "$(train-host run local --debug -- true 2>&1)" == "+ "*true* ]]
  [ "$(train-host test local --json | jq -r '.[0].name')" = "tmux" ]
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
  run bash -c 'train-host list --no-providers | head -1'
  [ "$output" = "NAME  TYPE  ADDRESS  THROUGH  TAGS  NOTES" ]
  run bash -c 'train-host list --no-providers --json >&-'
  [ "$status" -ne 0 ]
}
