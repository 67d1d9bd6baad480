#!/bin/sh
# Puts watchdog.sh, which comes on standard input, on this machine, and calls it with the given words. It is started as:
# sh -c TEXT trainsh-vast WORDS...
folder=${HOME:-/root}/.local/state/tmux-trainsh/watchdog
mkdir -p "$folder" && cd "$folder" && cat >watchdog.new && mv watchdog.new watchdog.sh && sh ./watchdog.sh "$@"
