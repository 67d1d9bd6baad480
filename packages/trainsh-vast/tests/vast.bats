#!/usr/bin/env bats
# The installed train-vast against a sandbox: pipelines, exit statuses, what people read. (The rest: pytest.)

bats_require_minimum_version 1.5.0

setup_file() {
  export TRAINSH_SANDBOX=$BATS_FILE_TMPDIR/box HOME=$BATS_FILE_TMPDIR NO_COLOR=1
  train-sandbox up --no-machines --no-storage >/dev/null
  eval "$(train-sandbox env)"
}

teardown_file() { train-sandbox down >/dev/null; }

@test "search, create in a pipe, list, stop, destroy" {
  id=$(train-vast search --gpu RTX_4090 --max-dph 3 --json | jq '.[0] | {offer: .id}' |
    train-vast create --input - --image x --label lab --json | jq .id)
  [ "$(train-vast list --json | jq -r ".[] | select(.id == $id) | .label")" = lab ]
  run train-vast stop "$id"
  [ "$status" -eq 0 ]
  [[ "$output" == "instance $id is stopped; its disk costs \$0."*"; to end that: train vast destroy $id" ]]
  run train-vast destroy "$id" </dev/null
  [ "$status" -eq 2 ]
  [[ "$output" == *"--yes"* ]]
  [ "$(train-vast destroy "$id" --yes)" = "destroyed $id" ]
  run --separate-stderr train-vast show "$id"
  [ "$status" -eq 3 ]
}

@test "the table of offers has prices and the query language" {
  run train-vast search 'gpu_ram>=40 geolocation in [SE,NO]' --sort value --limit 3
  [ "$status" -eq 0 ]
  [[ "${lines[0]}" == OFFER*GPU*"AN HOUR"*RELIABILITY*RAM*VALUE*TRAFFIC* ]]
  run --separate-stderr train-vast search num_gpus=99
  [[ $status -eq 0 && -z $output && $stderr == *'No offer meets all of this.'* ]]
  run --separate-stderr train-vast cost
  [[ $status -eq 2 && ${stderr_lines[0]} == 'error: train-vast cost: which instance?' ]]
  run --separate-stderr train-vast search 'gpu_ram>>40'
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"cannot read the query at"* ]]
}

@test "a wrong key is exit 4 and names the way to a right one; it is in no message" {
  export VAST_API_KEY=not-the-key-0123456789
  run train-vast list
  [ "$status" -eq 4 ]
  [[ "$output" == *"train secrets set VAST_API_KEY"* ]]
  [[ "$output" != *not-the-key* ]]
}

@test "a service that is not there is exit 8" {
  VAST_URL=http://127.0.0.1:9 TRAINSH_VAST_RETRY_DELAY=0.01s run train-vast balance
  [ "$status" -eq 8 ]
}

@test "the schema says what provides, fills, rents and releases" {
  train-vast schema | jq -e '.provides == ["hosts"] and .commands.pick.fills == "host" and .commands.pick.rents
    and .commands.stop.releases == "billing" and .commands.destroy.releases == "disk"'
}
