#!/bin/sh
# The first process of a session's pane: starts the session's shell, and records how it ended.
# usage: pane.sh FOLDER LIBRARY START-FOLDER [plain]
dir=$1 lib=$2 start=$3 plain=${4-}
# Opened for reading and writing: a writer never blocks on it, and it stays when writers come and go.
exec 9<>"$dir/fifo"
# Output is recorded from the first byte: tmux ran pipe-pane before it turned to the pane.
if [ -n "$start" ]; then
    cd -- "$start" || { cd / && printf '%s\r\n' "train: cannot enter $start; starting in /"; }
fi
boot=
[ ! -r /proc/sys/kernel/random/boot_id ] || IFS= read -r boot </proc/sys/kernel/random/boot_id
printf '%s %s\n' "$$" "$boot" >"$dir/pid"
printf '%s\n' "${TMUX_PANE-}" >"$dir/pane"
: >"$dir/began"
TRAIN_SESSION_DIR=$dir TRAIN_SESSION_LIB=$lib
export TRAIN_SESSION_DIR TRAIN_SESSION_LIB
if [ -n "$plain" ] && command -v bash >/dev/null 2>&1; then
    TRAIN_SESSION_PLAIN=1 bash --noprofile --rcfile "$lib/shell.rc" -i
elif command -v bash >/dev/null 2>&1; then
    bash --noprofile --rcfile "$lib/shell.rc" -i
else
    printf '%s\r\n' 'train: no bash here, so the session runs a plain sh: Ctrl-C ends it'
    # -m: background steps get process groups of their own
    sh -m "$lib/shell.rc"
fi
status=$?
trap '' INT QUIT
set +e
IFS=' ' read -r owner boot <"$dir/pid" 2>/dev/null || owner=
# Another window has taken the session over, or it was closed on purpose.
[ "$owner" = "$$" ] || exit "$status"
rm -f -- "$dir"/steps/*.env
step=
[ ! -r "$dir/current" ] || IFS=' ' read -r step <"$dir/current"
mark=
if [ -n "$step" ] && [ -e "$dir/steps/$step.claim" ] && [ ! -e "$dir/steps/$step.pid" ]; then
    # O_EXCL: when the step has a status already, that one stands.
    if (set -C && printf '%s\n' "$status" >"$dir/steps/$step.status") 2>/dev/null; then
        [ -e "$dir/steps/$step.why" ] || printf 'ended\n' >"$dir/steps/$step.why"
        mark=$(printf '\033]7770;e;%s;%s;ended\007' "$step" "$status")
    fi
fi
rm -f -- "$dir/open"
printf 'ended %s\n' "$status" >"$dir/state"
printf '%s\033]7770;x;%s\007' "$mark" "$status"
# The pane goes when this script ends, and tmux with what it has not written yet.
tries=0
while [ "$tries" -lt 40 ]; do
    newest=
    for segment in "$dir"/log.*; do
        [ -n "$newest" ] && [ "${segment##*.}" -lt "${newest##*.}" ] || newest=$segment
    done
    ! tail -c 64 "$newest" 2>/dev/null | grep -q '7770;x;' || exit "$status"
    tries=$((tries + 1))
    sleep 0.05 2>/dev/null || sleep 1
done
exit "$status"
