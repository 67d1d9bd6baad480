#!/usr/bin/env bats
# The installed train-secrets, without a keyring: an encrypted file in a home of the test's own.

bats_require_minimum_version 1.5.0

# One home for the file: making its key takes a second by design.
setup_file() {
    export TRAINSH_HOME="$BATS_FILE_TMPDIR/home" TRAINSH_PASSPHRASE=sesame
    export PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring
    unset HF_TOKEN VAST_API_KEY TRAINSH_SECRETS_HELPER TRAINSH_SECRETS_FILE
    printf 'hf_1\n' | train-secrets set HF_TOKEN
}

@test "get prints the bare value into a pipe, with one newline" {
    run -0 --separate-stderr train-secrets get HF_TOKEN
    [ "$output" = hf_1 ]
    [ -z "$stderr" ]
}

@test "get --json answers name, value and source" {
    run -0 train-secrets get HF_TOKEN --json
    [ "$output" = '{"name":"HF_TOKEN","value":"hf_1","source":"file"}' ]
}

@test "get takes its parameters from --input" {
    run -0 sh -c "echo '{\"name\": \"HF_TOKEN\"}' | train-secrets get --input -"
    [ "$output" = hf_1 ]
}

@test "the environment goes first" {
    HF_TOKEN=mine run -0 train-secrets get HF_TOKEN
    [ "$output" = mine ]
}

@test "a secret that is nowhere is exit 3, with the command that stores it" {
    run -3 --separate-stderr train-secrets get NO_SUCH
    [ -z "$output" ]
    [[ $stderr == *"train secrets set NO_SUCH"* ]]
}

@test "a wrong passphrase is exit 4, and so is none" {
    TRAINSH_PASSPHRASE=wrong run -4 train-secrets get HF_TOKEN
    [[ $output == *"TRAINSH_PASSPHRASE is not the passphrase of"* ]]
    TRAINSH_PASSPHRASE='' run -4 train-secrets get HF_TOKEN --json
    [ "$(jq -r .error.code <<<"$output")" = locked ]
}

@test "set takes no value as an argument" {
    run -2 train-secrets set HF_TOKEN hf_2
    run -0 train-secrets get HF_TOKEN
    [ "$output" = hf_1 ]
}

@test "set with nothing on standard input is exit 2 and names --from-file" {
    run -2 train-secrets set OTHER </dev/null
    [[ $output == *--from-file* ]]
}

@test "set reads a file, and keeps every line of it" {
    printf 'line 1\nline 2\n' > "$BATS_TEST_TMPDIR/key"
    run -0 train-secrets set KEY_FILE --from-file "$BATS_TEST_TMPDIR/key"
    run -0 train-secrets get KEY_FILE
    [ "$output" = $'line 1\nline 2' ]
    run -3 train-secrets set KEY_FILE --from-file "$BATS_TEST_TMPDIR/none"
}

@test "list shows where, never a value, and has an answer for jq" {
    run -0 train-secrets list
    [[ $output != *hf_1* ]]
    run -0 sh -c 'train-secrets list --json | jq -r ".[] | select(.set) | .name + \" \" + .source" | grep HF_'
    [ "$output" = "HF_TOKEN file" ]
}

@test "list into head is quiet" {
    run -0 --separate-stderr sh -c 'train-secrets list | head -1'
    [[ $output == NAME* ]]
    [ -z "$stderr" ]
}

@test "import stores a .env from standard input, and all of it or nothing" {
    run -0 sh -c 'printf "A_KEY=1\nexport B_KEY=\"2 3\"\n" | train-secrets import -'
    [ "$output" = $'A_KEY stored in the file\nB_KEY stored in the file' ]
    run -2 sh -c 'printf "C_KEY=1\nthis is no line\n" | train-secrets import -'
    [[ $output == *"line 2"* ]]
    run -3 train-secrets get C_KEY
    run -2 sh -c 'printf "A_KEY=9\n" | train-secrets import -'
    [[ $output == *--overwrite* ]]
    run -0 sh -c 'printf "A_KEY=9\nD_KEY=1\n" | train-secrets import - --overwrite --only A_KEY'
    run -3 train-secrets get D_KEY
}

@test "run gives the command the secrets it was to have, its status, and no passphrase" {
    # shellcheck disable=SC2016 # the inner shell expands it
    run -7 train-secrets run --name HF_TOKEN --name TOKEN=HF_TOKEN -- \
        sh -c 'echo "$HF_TOKEN $TOKEN ${TRAINSH_PASSPHRASE-none}"; exit 7'
    [ "$output" = "hf_1 hf_1 none" ]
}

@test "run without --name asks for one, and of a missing secret runs nothing" {
    run -2 train-secrets run -- true
    [[ $output == *--all* ]]
    run -3 train-secrets run --name NO_SUCH -- echo ran
    [[ $output != *ran* ]]
    run -9 train-secrets run --name HF_TOKEN -- no-such-program-here
}

@test "run --json shows the command and hides the value" {
    run -0 train-secrets run --name HF_TOKEN --json -- env
    [ "$(jq -r .env.HF_TOKEN <<<"$output")" = '***' ]
}

@test "a helper command is asked" {
    TRAINSH_SECRETS_HELPER='printf %s-helped {name}' run -0 train-secrets get ANY_NAME --json
    [ "$output" = '{"name":"ANY_NAME","value":"ANY_NAME-helped","source":"helper"}' ]
}

@test "delete asks: exit 2 names --yes without a terminal; then it is gone" {
    run -3 train-secrets delete NEVER_SET
    printf x | train-secrets set GONE
    run -2 train-secrets delete GONE
    [[ $output == *--yes* ]]
    run -0 train-secrets delete GONE --yes
    [ "$output" = "GONE deleted from the file" ]
    run -3 train-secrets delete GONE --yes
}

@test "serve answers get" {
    HF_TOKEN=mine run -0 sh -c 'echo "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"get\",\"params\":{\"name\":\"HF_TOKEN\"}}" | train-secrets serve'
    [ "$(jq -r .result.value <<<"$output")" = mine ]
}

@test "a keyring is not imported for a secret in the environment" {
    program=$(command -v train-secrets)
    HF_TOKEN=x "$(head -1 "$program" | cut -c3-)" -X importtime "$program" get HF_TOKEN >/dev/null 2>"$BATS_TEST_TMPDIR/imports"
    grep -q msgspec "$BATS_TEST_TMPDIR/imports"
    run ! grep -E 'keyring|pyrage|dotenv' "$BATS_TEST_TMPDIR/imports"
}
