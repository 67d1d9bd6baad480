#!/usr/bin/env bats
# A misspelt command, option, host, recipe, job, storage, secret, setting or value gets the nearest name.

bats_require_minimum_version 1.5.0

setup() {
  export HOME=$BATS_TEST_TMPDIR TRAINSH_HOME=$BATS_TEST_TMPDIR/conf
  unset XDG_CONFIG_HOME XDG_STATE_HOME
  mkdir -p "$TRAINSH_HOME/recipes"
  cd "$BATS_TEST_TMPDIR"
}

nearest() { # STATUS NAME COMMAND...: the command ends with STATUS, and its hint has NAME
  local wanted=$1 name=$2
  shift 2
  run "-$wanted" --separate-stderr "$@"
  echo "$*: $status: $output $stderr"
  [ -z "$output" ]
  [[ $stderr == error:* ]]
  [[ ${stderr#*$'\n'} == *"$name"* ]]
}

@test "commands: of train, of a tool, of a shortcut, of help" {
  nearest 127 'did you mean recipe?' train recpie
  nearest 127 'did you mean transfer?' train tranfer
  nearest 127 'did you mean exit-codes?' train help exit-code
  nearest 2 'did you mean search?' train vast serach
  nearest 2 'did you mean resume?' train recipe resum
}

@test "options, and values of options" {
  run -2 train recipe run x --max-tim 3
  [[ $output == *--max-time* ]]
  nearest 2 'did you mean price?' train vast search --sort prise
  nearest 2 'did you mean bash?' train help completions bsh
  run -2 train pricing rates --base EUR # nothing is near
  [[ $output != *"did you mean"* ]]
}

@test "hosts, storages, recipes, secrets, settings, jobs" {
  train host add gpu-box me@192.0.2.1 >/dev/null
  nearest 3 gpu-box train host show gpu-bx
  nearest 3 gpu-box train host test gpu-bx
  train storage add checkpoints file:/tmp >/dev/null
  nearest 3 checkpoints train storage show chekpoints
  printf 'host here = local\ntmux.open @here as w\ntmux.close @w\n' >"$TRAINSH_HOME/recipes/my-train.recipe"
  nearest 3 my-train train recipe run my-tarin
  nearest 3 my-train train recipe show my-tarin
  nearest 3 HF_TOKEN train secrets get HF_TOKN
  nearest 3 recipe.timeout train config get recipe.timout
  train recipe run my-train --no-visual >/dev/null 2>&1
  id=$(train jobs --json | jq -r '.[0].id')
  short=${id##*-}
  run -3 train logs "${short%?}z"
  [[ $output == *"$short"* ]]
  nearest 3 'train recipe jobs' train logs zzzz
  nearest 3 "the last job of my-train is $short" train watch my-train
}

@test "sessions, diagnostics, files, a storage that is written as a spec or a host" {
  export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/r TMUX_TMPDIR=$BATS_TEST_TMPDIR
  mkdir -m 700 "$XDG_RUNTIME_DIR"
  train tmux open local work >/dev/null
  nearest 3 'did you mean work?' train tmux attach wrok
  nearest 3 'did you mean work?' train tmux send wrok text
  train tmux close work >/dev/null
  nearest 3 'train tmux open local wrok' train tmux attach wrok
  printf 'notify "hi"\n' >hello.recipe
  nearest 3 hello.recipe train check helo.recipe
  nearest 3 "did you mean E105?" train dsl explain E1055
  train storage add models file:/tmp >/dev/null
  nearest 2 'did you mean the storage models?' train storage ls modles:
  nearest 3 'storage:models:/x' train transfer models:/x ./x
}

@test "in a recipe: a host, a session, a verb, an option" {
  printf 'host gpu = local\ntmux.open @gpu as work\n@wrok > ls\ntmux.close @work\n' >a.recipe
  run -2 train check a.recipe
  [[ $output == *work* ]]
  printf 'host gpu = placeholder\nvast.pik @gpu num_gps=1\n' >b.recipe
  run -2 train check b.recipe
  [[ $output == *pick* ]]
}
