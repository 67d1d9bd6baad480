#!/usr/bin/env bats
# The installed train-storage, without network and keyring, in a home of the test's own.

bats_require_minimum_version 1.5.0

setup() {
    export TRAINSH_HOME="$BATS_TEST_TMPDIR/home" PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring
    unset R2_ACCESS_KEY R2_SECRET_KEY R2_ACCOUNT_ID AWS_REGION
}

@test "no storages yet: how to add one on stderr, [] as JSON" {
    run -0 --separate-stderr train-storage list
    [ -z "$output" ]
    [[ $stderr == *"train storage add NAME r2:BUCKET"* ]]
    run -0 --separate-stderr train-storage list --json
    [ "$output" = '[]' ]
}

@test "add, list, show, edit, remove" {
    run -0 train-storage add here "file:$BATS_TEST_TMPDIR/here" --test
    [[ $output == *'write     ok'*'added here '* && $output != *'test it:'* ]]
    run -0 train-storage remove here --yes
    echo 'storages = []' >"$TRAINSH_HOME/storages.toml" # as an earlier version left it
    run -0 train-storage add out r2:models account_id=acc
    [[ $output == *"added out (r2:models)"*"train secrets set OUT_ACCESS_KEY"*"train storage test out"* ]]
    run -0 train-storage list --json
    [ "$(jq -r '.[0] | .name + " " + .kind + " " + .where' <<<"$output")" = "out r2 r2:models" ]
    run -0 train-storage edit out endpoint=https://x.test
    run -0 train-storage show out --json
    [ "$(jq -r '.config.endpoint' <<<"$output")" = https://x.test ]
    run -2 train-storage remove out </dev/null
    [[ $output == *--yes* ]]
    run -0 train-storage remove out --yes
    run -3 train-storage show out
}

@test "what is missing is named where nobody can be asked" {
    run -2 train-storage add out --kind s3 </dev/null
    [[ $output == *"bucket="* ]]
    [ ! -e "$TRAINSH_HOME/storages.toml" ]
}

@test "a wrong kind and a wrong key have the nearest names" {
    run -2 train-storage add out --kind gdrve
    [[ $output == *gdrive* ]]
    run -2 train-storage add out r2:models buckit=x
    [[ $output == *bucket* ]]
}

@test "a name that recipes cannot say is refused" {
    run -2 train-storage add 'a b' r2:models account_id=x
    [ ! -e "$TRAINSH_HOME/storages.toml" ]
}

@test "test of a folder writes, reads, lists and deletes" {
    mkdir "$BATS_TEST_TMPDIR/data"
    run -0 train-storage test "file:$BATS_TEST_TMPDIR/data"
    [ "${#lines[@]}" = 5 ]
    [ -z "$(ls -A "$BATS_TEST_TMPDIR/data")" ]
}

@test "test of a bucket without credentials is exit 4 with the command that sets them" {
    R2_ACCOUNT_ID=x run -4 train-storage test r2:models
    [[ $output == *"train secrets set R2_ACCESS_KEY"* ]]
}

@test "resolve masks secrets for people, and gives them to programs" {
    export R2_ACCESS_KEY=id R2_SECRET_KEY=hidden R2_ACCOUNT_ID=acc
    run -0 train-storage resolve r2:models
    [[ $output == *"RCLONE_CONFIG_STORAGE_SECRET_ACCESS_KEY=***"* ]]
    [[ $output != *hidden* ]]
    run -0 train-storage resolve r2:models --remote DST --json
    [ "$(jq -r .env.RCLONE_CONFIG_DST_SECRET_ACCESS_KEY <<<"$output")" = hidden ]
}

@test "ls and du of a folder" {
    mkdir -p "$BATS_TEST_TMPDIR/data/sub"
    printf 12345 >"$BATS_TEST_TMPDIR/data/sub/file"
    run -0 train-storage ls "file:$BATS_TEST_TMPDIR/data"
    [[ $output == *sub/* ]]
    run -0 train-storage du "file:$BATS_TEST_TMPDIR/data"
    [ "$output" = "5 B in 1 file" ]
}

@test "a folder that is not there: the test says how to make it" {
  train-storage add models "file:$BATS_TEST_TMPDIR/no/such" --no-test
  run train-storage test models
  [ "$status" -eq 5 ]
  [[ "$output" == *"there is no folder $BATS_TEST_TMPDIR/no/such"*"mkdir -p $BATS_TEST_TMPDIR/no/such"* ]]
}
