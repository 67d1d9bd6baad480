# shellcheck shell=sh disable=SC2154
# The first process of a session's pane. It starts the session's shell, and records how that shell ended. An sh
# sources this file, so that no command line contains a path of train, which `pkill -f` could match. $TS_DIR is the
# session's folder, $l the folder of the scripts.
dir=$TS_DIR
. "$l/hello.sh"
# The FIFO is opened for reading and writing, so that no writer blocks and the FIFO stays open between writers.
exec 9<>"$dir/fifo"
# The logger runs already, because tmux handles pipe-pane before it reads the output of this pane.
started "$$"
IFS= read -r node <"$dir/node"
IFS= read -r key <"$dir/key"
printf '%s %s %s\n' "$$" "$start" "$node" >"$dir/pid"
printf '%s\n' "${TMUX_PANE-}" >"$dir/pane"
: >"$dir/began"
cd -- "$l" || exit
if command -v bash >/dev/null 2>&1; then
    # This FIFO is kept open here. When bash is at its top level, it reads the line that runs the driver from this
    # FIFO.
    exec 8<>"$dir/again"
    bash --noprofile --rcfile shell.rc -i 8>&-
else
    printf '%s\r\n' 'train: no bash here, so the session runs a plain sh: Ctrl-C ends it'
    # -m: background steps get process groups of their own
    sh -m shell.rc
fi
status=$?
trap '' INT QUIT
set +e
IFS=' ' read -r owner start node <"$dir/pid" 2>/dev/null || owner=
# Record nothing if the session now has another window, or if it was closed on purpose.
[ "$owner" = "$$" ] || exit "$status"
rm -f -- "$dir"/steps/*.env
step=
[ ! -r "$dir/current" ] || IFS=' ' read -r step <"$dir/current"
mark=
if [ -n "$step" ] && [ -e "$dir/steps/$step.claim" ] && [ ! -e "$dir/steps/$step.pid" ]; then
    # With `set -C` the shell opens files with O_EXCL, so that a status that exists is not overwritten.
    if (set -C && printf '%s\n' "$status" >"$dir/steps/$step.status") 2>/dev/null; then
        [ -e "$dir/steps/$step.why" ] || printf 'ended\n' >"$dir/steps/$step.why"
        mark=$(printf '\033]7770;%s;e;%s;%s;ended\007' "$key" "$step" "$status")
    fi
fi
rm -f -- "$dir/open"
printf 'ended %s\n' "$status" >"$dir/state"
printf '%s\033]7770;%s;x;%s\007' "$mark" "$key" "$status"
# When this script ends, tmux drops the output that it has not yet passed to the logger. So wait until the log has
# the last sentinel.
tries=0
while [ "$tries" -lt 40 ]; do
    newest=
    for segment in "$dir"/log.*; do
        [ -n "$newest" ] && [ "${segment##*.}" -lt "${newest##*.}" ] || newest=$segment
    done
    ! tail -c 64 "$newest" 2>/dev/null | grep -q ';x;' || exit "$status"
    tries=$((tries + 1))
    sleep 0.05 2>/dev/null || sleep 1
done
exit "$status"
