#!/usr/bin/env bats
# The installed train-tmux, as a shell user meets it.
load ../../../tests/world/sessions

setup() {
    PATH="$BATS_TEST_DIRNAME/../../../.venv/bin:$PATH"
    HOME=$(mktemp -d /tmp/tb-XXXXXX)
    export HOME TMUX_TMPDIR=$HOME TRAINSH_HOME=$HOME/t XDG_RUNTIME_DIR=$HOME
    unset TMUX TMUX_PANE XDG_STATE_HOME XDG_CONFIG_HOME
    cd "$HOME" || return
}

teardown() { leave_nothing "$HOME"; }

@test "list of nothing is an empty JSON list" {
    run bash -c 'train-tmux list --json | jq -c .'
    [ "$status" -eq 0 ] && [ "$output" = "[]" ]
}

@test "open reads its parameters from standard input" {
    run bash -c 'echo "{\"host\": \"local\", \"name\": \"w\"}" | train-tmux open --input - --json | jq -r .name,.fresh'
    [ "$output" = $'w\ntrue' ]
    run bash -c 'train-tmux open local w --json | jq -r .fresh'
    [ "$output" = false ]
}

@test "open tells people how to use the session" {
    run train-tmux open local w
    [ "${lines[0]}" = "session w on local: opened" ]
    [ "$(bash -c "$(sed -n 's/.*run in it: //p' <<<"$output")")" = "$(uname -n)" ]
    run train-tmux open local w
    [[ "$output" == "session w on local: was open already"* && "$output" != *token* ]]
}

@test "steps share a shell" {
    train-tmux open local w
    train-tmux run 'cd /usr; N=3' --session w
    run train-tmux run 'pwd; echo $N' --session w
    [ "$status" -eq 0 ] && [[ "$output" == *"/usr"*"3"* ]]
}

@test "run ends with the command's own status" {
    train-tmux open local w
    run train-tmux run 'exit_with() { return 7; }; exit_with' --session w
    [ "$status" -eq 7 ]
}

@test "run without a session has one of its own and leaves nothing" {
    run train-tmux run 'echo alone; exit 4'
    [ "$status" -eq 4 ] && [[ "$output" == *alone* ]]
    run bash -c 'train-tmux list --all --json'
    [ "$output" = "[]" ]
}

@test "a timeout ends with 6" {
    train-tmux open local w
    run train-tmux run 'sleep 100; echo rest' --session w --timeout 3
    [ "$status" -eq 6 ] && [[ "$output" == *"timed out after 3.0s"* ]]
    [[ "$output" != *$'\nrest'* ]]
}

@test "a step of one identity runs once" {
    train-tmux open local w
    train-tmux run 'echo x >>ran' --session w --step s1
    train-tmux run 'echo x >>ran' --session w --step s1
    [ "$(wc -l <ran)" -eq 1 ]
}

@test "wait sees a pattern, and ends with 6 when it does not come" {
    train-tmux open local w
    train-tmux run 'sleep 0.3; echo epoch 3' --session w --background
    run train-tmux wait w --pattern 'epoch (3|4)' --timeout 60s
    [ "$output" = "epoch 3" ]
    run train-tmux wait w --pattern nothing --timeout 0.3
    [ "$status" -eq 6 ]
}

@test "no such session is 3, a bad name 2, with a hint" {
    run train-tmux run true --session nosuch
    [ "$status" -eq 3 ] && [[ "$output" == *"train tmux open"* ]]
    run train-tmux open local 9.bad
    [ "$status" -eq 2 ]
}

@test "the error is one JSON object on stderr" {
    run bash -c 'train-tmux capture nosuch --json 2>&1 >/dev/null | jq -r .error.code'
    [ "$output" = session_not_found ]
}

@test "capture, send, release, close" {
    train-tmux open local w
    train-tmux run 'echo on screen' --session w
    run train-tmux capture w
    [[ "$output" == *"on screen"* ]]
    train-tmux release w
    train-tmux send w 'touch by-hand' --enter
    for _ in $(seq 1200); do [ -e by-hand ] && break; sleep 0.05; done
    [ -e by-hand ]
    run train-tmux close w
    [[ "$output" == *closed* ]]
}

@test "attach --json says what it would become" {
    train-tmux open local w
    run bash -c 'train-tmux attach w --json | jq -r ".argv[-1]"'
    [ "$output" = "=w" ]
}

@test "kill ends a job's sessions, clean removes their files" {
    train-tmux open local a --job j1
    run train-tmux kill --job j1
    [[ "$output" == *killed* ]]
    run train-tmux clean --days 0
    [[ "$output" == *train-j1/a* ]]
    [ ! -e .local/state/tmux-trainsh/sessions/train-j1 ]
}

@test "serve answers a request, and garbage with the standard errors" {
    run bash -c 'printf "%s\n" "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\",\"params\":{\"host\":[\"local\"]}}" | train-tmux serve | jq -c .result'
    [ "$output" = "[]" ]
    run bash -c 'echo garbage | train-tmux serve | jq -c .error.code'
    [ "$output" = "-32700" ]
}

@test "serve runs two waits at once" { # one after the other, the second would be cut off by the end of the input
    train-tmux open local w
    run bash -c '{ for n in 1 2; do printf "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"wait\",\"params\":{\"session\":\"w\",\"file\":\"/never\",\"timeout\":5}}\n" $n; done; sleep 9; } | train-tmux serve | grep -c wait_timed_out'
    [ "$output" = 2 ]
}

@test "a closed standard output is an error, head is none" {
    run bash -c 'train-tmux list --json >&-'
    [ "$status" -ne 0 ] && [[ "$output" != *Traceback* ]]
    train-tmux open local w
    run bash -c 'train-tmux run "seq 2000" --session w 2>&1 | head -1'
    [ "$status" -eq 0 ] && [ "${output%$'\r'}" = 1 ]
}
