#!/bin/sh
# Writes watchdog.sh from standard input to this machine, and runs it with WORDS. It is started as:
# sh -c TEXT trainsh-vast WORDS...
folder=${HOME:-/root}/.local/state/tmux-trainsh/watchdog
mkdir -p "$folder" && cd "$folder" && cat >watchdog.new && mv watchdog.new watchdog.sh && sh ./watchdog.sh "$@"
