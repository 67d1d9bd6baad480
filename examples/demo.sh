#!/bin/sh
# `make demo`: the quickstart recipe on this machine, in a home of its own, and what came of it.
set -eu
cd "$(dirname "$0")/.."
demo=$PWD/build/demo
mkdir -p "$demo"
export HOME="$demo/home" TRAINSH_HOME="$demo/home/.config/tmux-trainsh" TMUX_TMPDIR="$demo"
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR TMUX
mkdir -p "$HOME"

printf '%s\n\n' "train recipe show examples/quickstart.recipe   (what is about to run)"
train recipe show examples/quickstart.recipe
printf '\n%s\n\n' "train recipe run examples/quickstart.recipe    (a language model learns from Shakespeare's sonnets)"
train recipe run examples/quickstart.recipe --var PYTHON="$PWD/.venv/bin/python"
printf '\n%s\n' "The model:  build/models/quickstart/model.npz ($(wc -c <build/models/quickstart/model.npz | tr -d ' ') bytes)"
printf '%s\n' "The run:    TRAINSH_HOME='$TRAINSH_HOME' '$PWD/bin/train' recipe logs --last"
printf '%s\n\n' "A sample of what it writes:"
head -n 16 build/quickstart/sample.txt | sed 's/^/    /'
