# What `train --complete` offers, from tables and from files of this machine. A Tab in the shells: test_tab.py.

bats_require_minimum_version 1.5.0

setup() {
  export HOME=$BATS_TEST_TMPDIR TRAINSH_HOME=$BATS_TEST_TMPDIR/conf
  unset XDG_CONFIG_HOME XDG_STATE_HOME
  mkdir -p "$TRAINSH_HOME/recipes" "$HOME/.ssh"
  cd "$BATS_TEST_TMPDIR"
}

offers() { # WANTED WORD...: the candidates, without what they mean, in one line
  local wanted=$1
  shift
  run --separate-stderr train --complete "$@"
  [ "$status" = 0 ] && [ -z "$stderr" ]
  local found
  found=$(printf '%s\n' "$output" | cut -f1 | tr '\n' ' ')
  [ "${found% }" = "$wanted" ] || { echo "offered: $found" && false; }
}

@test "the first word: tools, shortcuts and train's own options" {
  offers 'recipe resume' re
  offers '--help --version --list --exec-path' -
  run train --complete xf
  [ "$output" = "xfer	Move files between machines and storage" ]
  run train --complete transf
  [ "$output" = "transfer	train xfer copy" ]
  offers '' no-such-command ''
}

@test "a tool of a stranger on PATH is offered, and completes with what it brings" {
  mkdir -p pre/bin pre/share/trainsh/completions
  printf '#!/bin/sh\n' >pre/bin/train-zoo
  chmod +x pre/bin/train-zoo
  PATH=$PATH:$PWD/pre/bin
  offers zoo zo
  offers @files zoo ''
  printf 'command\tfeed\tFeed it\noption\tfeed\t--with\thay|corn\twhat\n' >pre/share/trainsh/completions/zoo
  offers 'feed --help --version' zoo ''
  offers 'hay corn' zoo feed --with ''
}

@test "commands and options, by the tool's name and by a shortcut" {
  offers 'resume' recipe res
  offers '--sort' vast search --so
  offers '--max-time' run x --max-t
  offers '--delete' transfer --del
  offers 'price reliability value' vast search --sort ''
  offers '--sort=price' vast search --sort=p
  offers '' run x --max-time ''
  offers 'resume' -v --json recipe res
}

@test "behind -- are arguments alone" {
  offers '' secrets run -- --na
}

@test "help: commands, shortcuts and topics, then the commands of one" {
  offers 'recipe resume recipes' help re
  offers 'search serve' help vast se
}

@test "recipes, by name and by path, and what one defines" {
  printf '# Trains it\nvar MODEL = tiny\nhost gpu = placeholder\nstorage out = r2:b\n' >"$TRAINSH_HOME/recipes/train.recipe"
  printf 'sleep 1\n' >other.recipe
  run train --complete run tr
  [ "$output" = "train	Trains it" ]
  offers 'train other' recipe run ''
  offers @files recipe run ./
  offers 'gpu=' run train --host g
  offers 'gpu=local' run train --host gpu=lo
  offers 'MODEL=' run train ''
  offers 'TOKEN=@HF_TOKEN' run train --var TOKEN=@HF
  offers 'out=' run train --storage ''
}

@test "hosts: hosts.toml, ssh's names, and machines that were listed lately" {
  printf '[[hosts]]\nname = "gpu"\nhostname = "1.2.3.4"\n[[hosts]]\nname = "old box" # x\n' >"$TRAINSH_HOME/hosts.toml"
  printf 'Host far *.example !no\n  HostName x\n' >"$HOME/.ssh/config"
  offers 'local gpu old box far' host test ''
  offers 'gpu' host ssh g
  mkdir -p "$TRAINSH_HOME/state/instances"
  printf '123\trunning RTX_4090\n' >"$TRAINSH_HOME/state/instances/vast"
  offers 'vast:123' host ssh va
  offers '123' vast stop ''
  touch -d '1 hour ago' "$TRAINSH_HOME/state/instances/vast"
  offers '' vast stop ''
}

@test "storages, jobs, sessions, secrets and settings" {
  printf '[[storages]]\nname = "out"\ntype = "r2"\n[storages.config]\nname = "no"\n' >"$TRAINSH_HOME/storages.toml"
  offers 'out' storage test ''
  offers 'storage:out: @files' transfer ./x stor
  mkdir -p "$TRAINSH_HOME/jobs/20260101-000000-000-ab12" "$TRAINSH_HOME/jobs/open"
  echo '{"t":"x","event":"job.started","job":"20260101-000000-000-ab12","name":"llama"}' \
    >"$TRAINSH_HOME/jobs/20260101-000000-000-ab12/events.jsonl"
  run train --complete logs ''
  [ "$output" = "ab12	llama 20260101-0000" ]
  mkdir -p "$HOME/.local/state/tmux-trainsh/sessions/train/work"
  offers 'work' tmux attach ''
  printf 'MY_TOKEN\n' >"$TRAINSH_HOME/keyring.names"
  offers 'MY_TOKEN' secrets get MY
  offers 'ssh.persist' config get ssh.per
}

@test "a name that could drive the terminal is not offered" {
  printf '[[hosts]]\nname = "a\033]52;c;x"\n[[hosts]]\nname = "b"\n' >"$TRAINSH_HOME/hosts.toml"
  offers 'local b' host test ''
}

@test "it costs no Python, and nothing of ours asks the network" {
  mkdir only
  for program in sh awk find cat ls sed cut; do ln -s "$(command -v "$program")" "only/$program"; done
  printf '[[hosts]]\nname = "gpu"\n' >"$TRAINSH_HOME/hosts.toml"
  train=$(command -v train)
  PATH=$PWD/only run "$train" --complete host test g
  [ "$output" = "gpu	" ]
  PATH=$PWD/only run "$train" --complete xf
  [ "$output" = "xfer	Move files between machines and storage" ]
}
