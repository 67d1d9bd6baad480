#!/usr/bin/env bats
# Every command that users were promised (the table of version 0.9's README) runs as it is written there.
# commands.txt holds a row each, in an order in which they can run: the promise, its exit status, and a command line in
# which names stand for <name>. The account and the machines are the sandbox's.

bats_require_minimum_version 1.5.0

setup_file() {
  export HOME=$BATS_FILE_TMPDIR/home TRAINSH_SANDBOX=$BATS_FILE_TMPDIR/box TMUX_TMPDIR=$BATS_FILE_TMPDIR
  export TRAINSH_PASSPHRASE='open sesame' TRAINSH_SECRETS_AGENT_TIME=off EDITOR=true TRAINSH_PAGER=cat
  export TRAINSH_PRICING_RATES_URL=http://127.0.0.1:1/latest # nothing asks a service that is not ours
  mkdir -p "$HOME/data" "$HOME/.ssh" "$HOME/out" "$HOME/bin"
  printf '#!/bin/sh\necho "no tunnel today" >&2\nexit 1\n' >"$HOME/bin/cloudflared"
  chmod +x "$HOME/bin/cloudflared"
  export PATH=$HOME/bin:$PATH
  cd "$HOME" || return 1
  echo one >data/a.txt
  printf 'ssh-ed25519 %s me\n' AAAAC3NzaC1lZDI1NTE5AAAAIE8DcJ6Z1n6D0Ck0mZ0e0z0a0b0c0d0e0f0g0h0i0j0k >key.pub
  train sandbox up >/dev/null 2>&1
  eval "$(train sandbox env)"
  mkdir -p "$TRAINSH_HOME/recipes"
  cat >"$TRAINSH_HOME/recipes/mine.recipe" <<'END'
var MODEL = tiny
host gpu = myserver
tmux.open @gpu as work
@work > echo $MODEL
tmux.close @work
END
  ID=$(train vast list --json | jq '.[0].id')
  export ID
}

teardown_file() { # each process that was started is gone before the home is
  train tmux kill >/dev/null 2>&1 || true
  train sandbox down
}

as_promised() { # STATUS COMMAND
  cd "$HOME"
  run bash -o pipefail -c "$2"
  echo "$2: $status: $output"
  [ "$status" = "$1" ]
  [[ $output != *Traceback* ]]
}

while IFS=$'\t' read -r promise wanted command; do
  bats_test_function --description "$promise" -- as_promised "$wanted" "$command"
done <"$BATS_TEST_DIRNAME/commands.txt"
