# shellcheck shell=sh disable=SC2154
# The logger: writes a pane's output to files log.START, the segments of the log. START is the offset in the log of
# the segment's first byte. An sh sources this file, so that no command line contains a path of train. $d is the
# session's folder, $l the folder of the scripts. About as many bytes are kept as the file `limit` tells: half of
# them in the first segment, the other half in the newest four segments. The logger uses dd, because head, sed and
# awk buffer their output. The logger outlives the pane. So it also records the end of a session whose terminal hung
# up.
# shellcheck disable=SC2012,SC2034
dir=$d
. "$l/hello.sh"
. "$l/processes.sh"
IFS= read -r limit <"$dir/limit"
IFS= read -r key <"$dir/key"
IFS= read -r token <"$dir/session"

ours() { # succeeds if the session was not opened again after this logger was started
    now=
    IFS= read -r now <"$dir/session"
    [ "$now" = "$token" ]
}

hung_up() { # called when the pane is gone: records that the session hung up, unless its shell ended or the session
    # was closed
    tries=0
    while IFS=' ' read -r pane start node <"$dir/pid" && lives "$pane" "$start" && [ "$tries" -lt 40 ]; do
        tries=$((tries + 1))
        sleep 0.05 || sleep 1
    done
    state=
    # While the state is being written, the file is empty for a moment.
    IFS= read -r state <"$dir/state" || {
        sleep 0.05 || sleep 1
        IFS= read -r state <"$dir/state"
    }
    ours || return
    case $state in
    ended*) return ;;
    closed*) ;;
    *) # If there is no file `pid`, the session now has another window.
        [ -e "$dir/pid" ] && [ "$tries" -lt 40 ] || return
        rm -f -- "$dir"/steps/*.env
        for pid in "$dir"/steps/*.pid "$dir"/steps/*.group; do # background steps end with the session
            step=${pid%.*}
            [ -e "$pid" ] && [ ! -e "$step.status" ] && IFS=' ' read -r group start <"$pid" && [ "$group" -gt 1 ] &&
                kill -s HUP -- "-$group"
        done
        rm -f -- "$dir/open"
        printf 'hung up\n' >"$dir/state"
        ;;
    esac
    # When the pane's first process ends, the kernel sends HUP to the shell. It does not if the first process was
    # killed.
    IFS=' ' read -r shell start <"$dir/shell" && [ "$shell" -gt 1 ] && lives "$shell" "$start" && ours && kill -s HUP "$shell"
    ours || return
    # The hangup ended the step, even if the shell still recorded another status.
    step=
    IFS=' ' read -r step <"$dir/current"
    status=none
    [ ! -e "$dir/steps/$step.status" ] || IFS= read -r status <"$dir/steps/$step.status"
    case $status in
    none | 129 | 143)
        [ ! -e "$dir/steps/$step.claim" ] || [ -e "$dir/steps/$step.why" ] || [ -e "$dir/steps/$step.pid" ] ||
            printf 'hung-up\n' >"$dir/steps/$step.why"
        ;;
    esac
    printf '\033]7770;%s;x;hung up\007' "$key" >>"$segment"
} 2>/dev/null

first=0
for segment in "$dir"/log.*; do # a reopened session appends to its newest segment
    [ -e "$segment" ] || continue
    number=${segment##*/log.}
    [ "$number" -lt "$first" ] || {
        first=$number size=0
        [ ! -s "$segment" ] || size=$(wc -c <"$segment")
    }
done
segment=$dir/log.$first
: >>"$segment"
size=${size-0}
# Most sessions print little, and there the first dd reads all. It gets no lower priority, because `nice` takes as long
# as dd itself.
low='' reads=32
while :; do
    if [ "$first" -eq 0 ]; then room=$((limit / 2)); else room=$((limit / 8)); fi
    # dd reads large blocks, because with small ones tmux would need more CPU time than for all its other work. dd
    # counts reads, and a read from a pipe may give less than a block. So it takes about a dozen runs of dd to fill
    # a segment, and the segment may become an eighth larger than intended.
    more=$((room - size))
    [ "$more" -ge "$((room / 8))" ] || more=$((room / 8))
    # If the disk is full, output is lost, but the session continues.
    [ "$reads" ] && [ "$reads" -lt "$((more / 65536 + 1))" ] || reads=$((more / 65536 + 1))
    said=$($low dd bs=65536 count="$reads" 2>&1 >>"$segment") || { [ -d "$dir" ] || exit 0; sleep 1; continue; }
    # dd prints the line `FULL+PARTIAL records in`, the numbers of its reads. If these are fewer than $reads, the input
    # has ended. GNU dd may print a warning before that line.
    full=${said%%+*} partial=${said#*+}
    full=${full##*
} partial=${partial%%[!0-9]*}
    case $full in '' | *[!0-9]*) partial= ;; esac
    [ -z "$partial" ] || [ "$((full + partial))" -ge "$reads" ] || { hung_up; exit 0; }
    now=$(wc -c <"$segment")
    [ "$now" -ne "$size" ] || { hung_up; exit 0; }
    size=$now reads=
    # dd gets a lower priority than the programs that print, because it competes with them for the CPU.
    if command -v nice >/dev/null 2>&1; then low='nice -n 10'; fi
    [ "$size" -ge "$room" ] || continue
    first=$((first + size))
    : >"$dir/log.$first"
    printf '\033]7770;%s;n;%s\007' "$key" "$first" >>"$segment"
    segment=$dir/log.$first
    size=0
    kept=0
    # Keep the first segment and the newest four.
    for old in $(ls "$dir" | sed -n 's/^log\.\([1-9]\)/\1/p' | sort -nr); do
        kept=$((kept + 1))
        [ "$kept" -le 4 ] || rm -f -- "$dir/log.$old"
    done
done
