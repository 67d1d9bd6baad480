#!/usr/bin/env bats
# train-dsl as it is installed.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    export HOME="$BATS_TEST_TMPDIR" TRAINSH_HOME="$BATS_TEST_TMPDIR/train" NO_COLOR=1
    bin=$(cd "$BATS_TEST_DIRNAME/../../../.venv/bin" 2>/dev/null && pwd) && PATH="$bin:$PATH"
    printf 'var STEPS = 3\nhost box = local\ntmux.open @box as work\n@work timeout=5m > train --steps $STEPS\ntmux.close @work\n' > good.recipe
    printf 'host gpu = local\ntmux.open @gpu\n@gpu > python train.py\n' > bad.recipe
    printf 'var A = 1\nsleep 5s\n' > warn.recipe
}

@test "parse prints the plan as JSON, for jq" {
    run bash -c 'train-dsl parse good.recipe | jq -r ".steps[1].kind, .name, .steps[1].options.timeout"'
    [ "$status" -eq 0 ]
    [ "$output" = $'execute\ngood\n300' ]
}

@test "parse reads standard input and --text" {
    run bash -c 'train-dsl parse - < good.recipe | jq -r .name'
    [ "$output" = recipe ]
    run bash -c "train-dsl parse --exec --text '@gpu > ls' | jq -r '.steps[].text'"
    [ "$output" = $'tmux.open @gpu as gpu\n@gpu > ls' ]
}

@test "parse of a wrong recipe: exit 2, every diagnostic in the error, nothing on stdout" {
    run --separate-stderr train-dsl parse bad.recipe --json
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$(jq -r '.error.code, .error.data.diagnostics[0].code' <<< "$stderr")" = $'recipe_invalid\nE401' ]
}

@test "check shows the line, a caret and the corrected line" {
    run train-dsl check bad.recipe
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bad.recipe:2:1: error E401: tmux.open needs a name for the session: commands go to a session, not to a host" ]
    [ "${lines[1]}" = " 2 | tmux.open @gpu" ]
    [ "${lines[2]}" = "   | ^^^^^^^^^^^^^^" ]
    [ "${lines[3]}" = "   = write tmux.open @gpu as work, and @work > ... for its commands" ]
    [ "${lines[4]}" = "bad.recipe: 1 error" ]
}

@test "check of a clean recipe: exit 0; warnings: exit 0, and 2 with --strict" {
    run train-dsl check good.recipe
    [ "$status" -eq 0 ]
    [ "$output" = "good.recipe: no errors, no warnings" ]
    run train-dsl check warn.recipe
    [ "$status" -eq 0 ]
    run train-dsl check warn.recipe --strict
    [ "$status" -eq 2 ]
}

@test "check --json gives ranges that count from zero" {
    run bash -c 'train-dsl check bad.recipe --json | jq -c ".[0].range"'
    [ "$output" = '{"start":{"line":1,"character":0},"end":{"line":1,"character":14}}' ]
}

@test "a placeholder is no error when the command line gives it" {
    printf 'host g = placeholder\ntmux.open @g as w\ntmux.close @w\n' > p.recipe
    run train-dsl check p.recipe
    [ "$status" -eq 2 ]
    run train-dsl check p.recipe --given g
    [ "$status" -eq 0 ]
}

@test "a file that is not there, a folder, no file: clear, and the right status" {
    run train-dsl check nowhere.recipe
    [ "$status" -eq 3 ]
    [[ "$output" == *"there is no file nowhere.recipe"* ]]
    run train-dsl check .
    [ "$status" -eq 2 ]
    run train-dsl check
    [ "$status" -eq 2 ]
}

@test "bytes that are no text are answered, not crashed on" {
    head -c 4096 /dev/urandom > noise.recipe
    run train-dsl check noise.recipe
    [ "$status" -eq 2 ]
    [[ "$output" != *Traceback* ]]
    [[ "$output" != *$'\e'* ]]
}

@test "explain shows the example, its message and the mended recipe" {
    run train-dsl explain e105
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "E105: A quote that swallows steps, or never closes" ]
    [[ "$output" == *"error E105: this quote is never closed"* ]]
    run train-dsl explain E999
    [ "$status" -eq 3 ]
}

@test "fmt prints, --check tells, --write writes and keeps the mode" {
    printf 'var   A=1\nnotify   "$A"\n' > f.recipe
    chmod 640 f.recipe
    run train-dsl fmt f.recipe
    [ "$output" = $'var A = 1\nnotify "$A"' ]
    printf 'sleep 5s\n' > canonical.recipe
    run train-dsl fmt --check f.recipe canonical.recipe
    [ "$status" -eq 1 ]
    [ "$output" = "f.recipe is not in canonical form" ]
    run train-dsl fmt --write f.recipe
    [ "$status" -eq 0 ]
    [ "$(cat f.recipe)" = $'var A = 1\nnotify "$A"' ]
    [ "$(ls -l f.recipe | cut -c1-10)" = "-rw-r-----" ]
    run train-dsl fmt --check f.recipe
    [ "$status" -eq 0 ]
}

@test "fmt --diff shows what would change; standard input works" {
    printf 'sleep   5s' > f.recipe
    run train-dsl fmt --diff f.recipe
    [ "$status" -eq 1 ]
    [[ "$output" == *"-sleep   5s"*"+sleep 5s"* ]]
    run bash -c 'train-dsl fmt - < f.recipe'
    [ "$output" = "sleep 5s" ]
}

@test "fmt leaves a recipe alone that it cannot read" {
    printf 'nonsense here\n' > f.recipe
    run train-dsl fmt --write f.recipe
    [ "$status" -eq 2 ]
    [ "$(cat f.recipe)" = "nonsense here" ]
}

@test "graph prints Mermaid, and data with --json" {
    run train-dsl graph good.recipe
    [ "${lines[0]}" = "flowchart TD" ]
    run bash -c 'train-dsl graph good.recipe --json | jq -r ".nodes | map(.kind) | unique | join(\" \")"'
    [ "$output" = "host session step" ]
}

@test "serve answers parse and check, and errors carry the diagnostics" {
    run bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"parse\",\"params\":{\"text\":\"sleep 5s\"}}' | train-dsl serve | jq -r .result.steps[0].seconds"
    [ "${output%.0}" = 5 ]
    run bash -c "printf '%s\n' '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"parse\",\"params\":{\"text\":\"nonsense\"}}' | train-dsl serve | jq -r .error.data.data.diagnostics[0].code"
    [ "$output" = E101 ]
}

@test "into head, and with standard output closed" {
    run bash -c 'train-dsl parse good.recipe | head -1'
    [ "$output" = "{" ]
    run bash -c 'train-dsl parse good.recipe >&-'
    [ "$status" -ne 0 ]
    [[ "$output" != *Traceback* ]]
}
