#!/usr/bin/env bats
# train-recipe as installed: what a shell user sees.
bats_require_minimum_version 1.5.0
load ../../../tests/world/sessions

setup() {
  HERE=$(mktemp -d /tmp/trbXXXXXX)
  export HOME="$HERE/h" TRAINSH_HOME="$HERE/t" XDG_RUNTIME_DIR="$HERE/r" TMUX_TMPDIR="$HERE" NO_COLOR=1
  mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$HERE/w"
  cd "$HERE/w" || return 1
  printf 'host h = local\ntmux.open @h as w\n@w > echo hello\ntmux.close @w\n' >ok.recipe
  printf 'host h = local\ntmux.open @h as w\n@w > echo bad; (exit 9)\nfinally\n@w > touch finally-ran\ntmux.close @w\n' >bad.recipe
}

teardown() { leave_nothing "$HERE"; }

@test "run: a line when a step begins, one when it ends" {
  run --separate-stderr train-recipe run ./ok.recipe
  [ "$status" -eq 0 ]
  [[ "${lines[0]}" =~ ^..:..:..\ job\ [0-9a-f-]+:\ ok,\ 3\ steps$ ]]
  [[ "$output" == *"2  @w > echo hello"* ]]
  [ "$stderr" = "" ]
}

@test "run: a failing step is status 1 with line, status and output; finally runs" {
  run --separate-stderr train-recipe run bad.recipe
  [ "$status" -eq 1 ]
  [[ "$stderr" == *"bad.recipe:3: step 2 failed: exit 9"*"| bad"* ]]
  [ -e finally-ran ]
}

@test "run --json | jq" {
  run bash -c 'train-recipe run ok.recipe --json | jq -r ".state, .steps[1].exit"'
  [ "$output" = "ok
0" ]
}

@test "run --jsonl: an event a line" {
  run bash -c 'train-recipe run ok.recipe --jsonl | jq -r .event | uniq -c | tail -1'
  [[ "$output" == *"1 result" ]]
}

@test "run | head -1 is quiet" {
  run --separate-stderr bash -c 'train-recipe run ok.recipe --output | head -1'
  [ "$status" -eq 0 ]
  [ "$stderr" = "" ]
}

@test "run of a name says where it looked" {
  run train-recipe run nosuch
  [ "$status" -eq 3 ]
  [[ "$output" == *"$TRAINSH_HOME/recipes/nosuch.recipe"* ]]
}

@test "run of a wrong recipe is 2 and makes no job" {
  echo 'nonsense' >wrong.recipe
  run train-recipe run wrong.recipe
  [ "$status" -eq 2 ]
  [ ! -e "$TRAINSH_HOME/jobs" ]
}

@test "parameters as JSON on standard input" {
  run bash -c 'echo "{\"name\": \"./ok.recipe\"}" | train-recipe run --input - --json | jq -r .name'
  [ "$output" = ok ]
}

@test "exec ends with the command's status and prints its output alone" {
  run --separate-stderr train-recipe exec '@local > echo one; (exit 7)' --json
  [ "$status" = 7 ] && [ "$(jq -r '[.output, .steps[-1].exit] | join(" ")' <<<"$output")" = "$(printf 'one\n 7')" ]
  run --separate-stderr train-recipe exec '@local > echo one; (exit 7)'
  [ "$status" -eq 7 ]
  [ "$output" = one ]
  [ "$stderr" = "" ]
}

@test "exec -v shows what its tools run" {
  run train-recipe exec -v '@local > true'
  [[ "$status" = 0 && "$output" == "+ "*"train-tmux serve"* ]]
}

@test "exec reads lines from standard input" {
  run bash -c 'printf "@local > cd /usr\n@local > pwd\n" | train-recipe exec -'
  [ "$output" = /usr ]
}

@test "jobs, status, logs, resume after a failure" {
  train-recipe run bad.recipe || true
  run bash -c 'train-recipe jobs --json | jq -r ".[0].state"'
  [ "$output" = failed ]
  run --separate-stderr train-recipe status
  [[ "$output" == *bad*failed* ]] # the newest job, which a resume would take
  run train-recipe logs --last --grep bad
  [ "$output" = "2: bad" ]
  run train-recipe resume --check
  [[ "$output" == *"next"*"failed: exit 9"* ]]
}

@test "resume without anything to resume is 3" {
  run train-recipe resume
  [ "$status" -eq 3 ]
}

@test "new, list, show, and what is new can be run" {
  run train-recipe new mine
  [ "$output" = "$TRAINSH_HOME/recipes/mine.recipe" ]
  run train-recipe new mine
  [ "$status" -eq 5 ]
  run bash -c 'train-recipe list --json | jq -r ".[0].name"'
  [ "$output" = mine ]
  run train-recipe show mine
  [[ "$output" == *"tmux.open @here as work"* ]]
  train-recipe run mine
}

@test "every template is a recipe without errors" {
  for template in minimal ssh vast; do
    train-recipe new "t-$template" --template "$template"
    run train-dsl check --no-plugins --given gpu "$TRAINSH_HOME/recipes/t-$template.recipe"
    [ "$status" -eq 0 ] || { echo "$output"; false; }
  done
}

@test "rm asks: without a terminal it names --yes and removes nothing" {
  train-recipe run ok.recipe
  id=$(train-recipe jobs --json | jq -r '.[0].id')
  run --separate-stderr train-recipe rm "${id: -4}" </dev/null
  [ "$status" -eq 2 ]
  [[ "$stderr" == *"pass --yes"*"Remove job ${id: -4} (ok, ok)?"* ]]
  [ -e "$TRAINSH_HOME/jobs/$id" ]
  run train-recipe rm --yes "${id: -4}"
  [ "$output" = "removed $id" ]
  [ ! -e "$TRAINSH_HOME/jobs/$id" ]
}

@test "rm of a recipe by name; of neither is 3; of nothing, or of two ways at once, is 2" {
  train-recipe new mine
  run train-recipe rm --yes mine
  [ "$output" = "removed mine" ]
  [ ! -e "$TRAINSH_HOME/recipes/mine.recipe" ]
  run train-recipe rm --yes nosuch
  [ "$status" -eq 3 ]
  run train-recipe rm --yes
  [ "$status" -eq 2 ]
  run train-recipe rm --yes --all nosuch
  [ "$status" -eq 2 ]
}

@test "rm --older-than and --all remove what is over, and nothing that was interrupted" {
  train-recipe run ok.recipe
  train-recipe run bad.recipe || true
  made() { # made ID STATUS: a job of long ago
    mkdir -p "$TRAINSH_HOME/jobs/$1/steps"
    printf '{"t":"2020-01-01T00:00:00.000Z","event":"job.started","job":"%s","name":"old","kind":"recipe"}\n' "$1" \
      >"$TRAINSH_HOME/jobs/$1/events.jsonl"
    [ "$2" = interrupted ] || printf '{"t":"2020-01-01T00:01:00.000Z","event":"job.finished","status":"%s"}\n' "$2" \
      >>"$TRAINSH_HOME/jobs/$1/events.jsonl"
  }
  made 20200101-000000-000-aaaa ok
  made 20200101-000000-000-bbbb interrupted
  run train-recipe rm --older-than 30d --yes
  [ "$output" = "removed 20200101-000000-000-aaaa" ]
  run train-recipe rm --all --yes --json
  [ "$(jq length <<<"$output")" -eq 2 ]
  run train-recipe rm --all --yes
  [ "$status" -eq 0 ]
  [[ "$output" == *"Nothing was removed"* ]]
  [ "$(train-recipe jobs --json | jq -r '.[].id')" = 20200101-000000-000-bbbb ]
}

@test "logs: alone the executions, of one the steps with status, time and command" {
  run --separate-stderr train-recipe logs
  [ "$output" = "" ]
  [[ "$stderr" == *"train recipe run NAME"* ]]
  train-recipe run bad.recipe || true
  id=$(train-recipe jobs --json | jq -r '.[0].id')
  run --separate-stderr train-recipe logs
  [[ "$output" == *"${id: -4} "*failed* ]]
  [ "$(train-recipe logs --json | jq -r '.jobs[0].id')" = "$id" ]
  run train-recipe logs --last
  [ "${lines[0]}" = "job ${id: -4}: bad, failed: step 2 failed: exit 9" ]
  [[ "$output" =~ ==\ step\ 2\ \ failed:\ exit\ 9,\ at\ [0-9-]+\ [0-9:]+,\ in\ [0-9.]+s\ \ @w\ \>\ echo\ bad ]]
  [[ "$output" == *"== step 3  ok, "*"touch finally-ran"* ]]
  train-recipe schema >schema
  [ "$(train-recipe logs --last --json | jq -r '.[] | select(.state == "failed") | .exit')" = 9 ]
}

@test "status of one job: its steps, the reason of each failure, and no more done than there are" {
  train-recipe run bad.recipe || true
  train-recipe resume || true # finally runs again
  id=$(train-recipe jobs --json | jq -r '.[0].id')
  run train-recipe status "${id: -4}"
  [[ "${lines[1]}" == "${id: -4}  bad "*" 3/4 "* ]]
  [[ "$output" == *"
2     failed  "*"@w > echo bad; (exit 9)"* ]]
  [ "${lines[-1]}" = "step 2 failed: exit 9" ]
  [ "$(train-recipe status "$id" --json | jq -c '.[0].steps[1] | [.id, .state]')" = '["2","failed"]' ]
  run -2 train-recipe status "$id" --all
}

@test "logs: of a progress bar the last state; --tail, --since, --step" {
  printf 'host h = local\ntmux.open @h as w\n@w > printf "10%%%%\\r100%%%%\\n"; echo two; printf end\ntmux.close @w\n' >bar.recipe
  train-recipe run bar.recipe
  run train-recipe logs --last --step 2
  [ "$output" = $'100%\ntwo\nend' ]
  run train-recipe logs --grep '%'
  [ "$output" = "2: 100%" ]
  run train-recipe logs --step 2 --tail 1
  [ "$output" = end ]
  run train-recipe logs --since 1h
  [[ "$output" == *two* ]]
  run --separate-stderr train-recipe logs --since 0.001s
  [ "$output" = "" ]
  run train-recipe logs --follow --tail 1
  [ "$status" -eq 2 ]
}

@test "recipes of the current folder have names too; list shows the first comment" {
  printf '#!/usr/bin/env train\n#\n# says hello\nhost h = local\ntmux.open @h as w\ntmux.close @w\n' >greet.recipe
  run train-recipe list
  [[ "$output" =~ greet\ +this\ folder\ +says\ hello ]]
  train-recipe run greet
  train-recipe new greet
  run bash -c 'train-recipe list --json | jq -r "map(.name) | join(\" \")"'
  [ "$output" = "greet bad ./greet.recipe ok" ]
  run train-recipe run gret
  [ "$status" -eq 3 ]
  [[ "$output" == *"did you mean greet?"* ]]
}

@test "nothing to show is said on stderr, with what to do" {
  rm ok.recipe bad.recipe
  for words in list jobs status logs; do
    run --separate-stderr train-recipe $words
    [ "$status" -eq 0 ]
    [ "$output" = "" ]
    [[ "$stderr" == "No "*"train recipe "* ]]
  done
  [ "$(train-recipe list --json)" = "[]" ]
}

@test "jobs: ids people can say; -n -1 is 2" {
  train-recipe run ok.recipe
  id=$(train-recipe jobs --json | jq -r '.[0].id')
  run train-recipe jobs
  [[ "${lines[1]}" == "${id: -4} "* ]]
  mkdir "$TRAINSH_HOME/jobs/20200101-000000-000-${id: -4}"
  run train-recipe jobs
  [[ "${lines[1]}" == "$id "* ]]
  for count in -1 0; do
    run train-recipe jobs -n "$count"
    [ "$status" -eq 2 ]
  done
}

@test "a timeout is told once" {
  printf 'host h = local\ntmux.open @h as w\n@w timeout=3s > sleep 100\nfinally\ntmux.close @w\n' >slow.recipe
  run train-recipe run slow.recipe
  [ "$status" -eq 1 ]
  [[ "$output" == *"step 2 timed out after 3.0s"* ]]
  [[ "$output" != *"timed out: timed out"* && "$output" != *"timeout: timed out"* && "$output" != *"s: timed out"* ]]
  run train-recipe logs --last
  [[ "$output" == *"== step 2  timed out after 3.0s, at "* ]]
}

@test "jobs of exec are kept apart, and the newest 50 of them" {
  train-recipe run ok.recipe
  for number in $(seq 100 160); do
    mkdir -p "$TRAINSH_HOME/jobs/exec" "$TRAINSH_HOME/jobs/20200101-000000-$number-aaaa/steps"
    touch "$TRAINSH_HOME/jobs/exec/20200101-000000-$number-aaaa"
  done
  train-recipe exec '@local > true'
  [ "$(train-recipe jobs --json | jq -r 'map(.name) | join(" ")')" = ok ]
  [ "$(train-recipe jobs --exec --json | jq -r 'map(.name) | join(" ")')" = exec ]
  run bash -c 'ls "$TRAINSH_HOME/jobs/exec" | wc -l; ls -d "$TRAINSH_HOME"/jobs/2* | wc -l'
  [ "${lines[*]}" = "50 51" ]
}
