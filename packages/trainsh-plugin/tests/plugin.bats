#!/usr/bin/env bats
# The installed train-plugin and its lock, in a home of the test's own.

bats_require_minimum_version 1.5.0

setup() {
    export TRAINSH_HOME="$BATS_TEST_TMPDIR/home"
    cd "$BATS_TEST_TMPDIR"
}

@test "list names a provider of this installation, as a table and as JSON" {
    run -0 train-plugin list
    [[ $output == *NAME*PROGRAM* ]]
    run -0 --separate-stderr train-plugin list --json
    [ "$(jq -r 'map(has("declared")) | all' <<<"$output")" = true ]
}

@test "new writes a tool whose own test passes" {
    run -0 train-plugin new hours --json
    [ "$(jq -r '.files[0]' <<<"$output")" = train-hours/train-hours ]
    run -0 train-hours/test.sh
    [[ $output == *"all hold"* ]]
}

@test "check of what is not there is exit 3, of a word that is no tool exit 9" {
    run -3 train-plugin check ./train-nobody
    run -9 train-plugin check nobody-there
}

@test "locked: one command at a time, with its own status; SIGTERM does not cut it in two" {
    run -7 train-plugin locked a -- sh -c 'exit 7'
    train-plugin locked a -- sh -c 'echo began; : >begun; while [ ! -e go ]; do sleep 0.05; done; echo ended' >first &
    first=$!
    until [ -e begun ]; do sleep 0.05; done
    train-plugin locked a -- sh -c 'echo second' >>first &
    second=$!
    kill -TERM "$first"
    kill -HUP "$first"
    touch go
    wait "$first"
    wait "$second"
    [ "$(tr '\n' ' ' <first)" = "began ended second " ]
}
