#!/bin/sh
# The checkpoint pump: copies each complete new entry of a folder on this host to a storage, and keeps the newest there.
#
# It needs no connection while it runs. RUN is its folder (see transfer.sh), with these files:
# sent/NAME: the entry NAME is complete in the storage; the time of this file is when the entry's upload began
# gone/NAME: the entry NAME was copied, and was later removed from the storage
# newest: the time and the name of the newest entry that is complete in the storage
# failed: the last error; stop: a client asks for a last round; ended: the last round is over
# It is started as:
# sh -c TEXT trainsh-xfer RUN PROGRAM SOURCE DESTINATION KEEP EVERY SETTLE MATCH SERVER RCLONE'S-OPTIONS...
# KEEP: how many of the newest entries stay in the storage (0: all). EVERY: seconds between rounds. SETTLE: seconds
# without a change after which an entry counts as complete. SERVER: the job's tmux server, or empty. The pump ends
# when the sessions of this server have ended.
run=$1 program=$2 source=$3 destination=$4 keep=$5 every=$6 settle=$7 match=$8
shift 8
server=$1
shift
trap '' HUP INT
umask 077
echo $$ >"$run/keeper.new" && mv "$run/keeper.new" "$run/keeper"
mkdir -p "$run/sent" "$run/gone"
seen=

# Succeeds if the file `keeper` still has this process's id. If not, a newer pump has replaced this one.
mine() { [ "$(cat "$run/keeper" 2>/dev/null)" = $$ ]; }

# Waits for SECONDS, or until the file `stop` appears or a newer pump has replaced this one.
pause() { # SECONDS
    left=$1
    while [ "$left" -gt 0 ] && [ ! -e "$run/stop" ] && mine; do
        sleep 1
        left=$((left - 1))
    done
}

# Succeeds if the job's sessions on this host have ended. They have if their tmux server was seen earlier and is
# gone now.
session_over() {
    [ -n "$server" ] || return 1
    if tmux -L "$server" list-sessions >/dev/null 2>&1; then seen=1 && return 1; fi
    [ -n "$seen" ]
}

# Succeeds if anything in the entry $1 was written after the file $2.
newer() { [ -n "$(find "$source/$1" -newer "$2" 2>/dev/null | sed 1q)" ]; }

# Succeeds if the entry NAME must be copied: its name matches, it is not a link, it contains files, and it is
# complete.
eligible() { # NAME
    # shellcheck disable=SC2254 # a pattern
    case $1 in $match) ;; *) return 1 ;; esac
    [ -e "$source/$1" ] && [ ! -h "$source/$1" ] || return 1
    [ -n "$(find "$source/$1" -type f 2>/dev/null | sed 1q)" ] || return 1
    ! newer "$1" "$run/mark"
}

# Prints the time at which the path $1 was last written, in seconds since 1970.
time_of() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null || date +%s; }

copy() { # NAME RCLONE'S-OPTIONS...
    name=$1
    shift
    verb=copyto
    if [ -d "$source/$name" ]; then verb=copy; fi
    : >"$run/now"
    "$program" "--temp-dir=$run" "$verb" "$@" --copy-links -- "$source/$name" "$destination/$name" \
        </dev/null >"$run/said" 2>&1 &
    echo $! >"$run/rclone"
    if ! wait $!; then
        tail -n 1 "$run/said" >"$run/failed"
        return 1
    fi
    # the entry changed during the copy, so the next round copies it again
    if newer "$name" "$run/now"; then return 0; fi
    written=$(time_of "$source/$name")
    echo "$verb" >"$run/now.kind"
    touch -r "$run/now" "$run/now.kind"
    mv "$run/now.kind" "$run/sent/$name"
    rm -f "$run/gone/$name"
    before=$(sed 's/ .*//' "$run/newest" 2>/dev/null)
    if [ "$written" -ge "${before:-0}" ]; then
        printf '%s %s\n' "$written" "$name" >"$run/newest.new" && mv "$run/newest.new" "$run/newest"
    fi
}

# Removes from the storage each entry that the pump has copied and that is not among the newest $keep any more.
prune() { # RCLONE'S-OPTIONS...
    [ "$keep" -gt 0 ] || return 0
    ls -1t "$run/sent" | sed "1,${keep}d" >"$run/old"
    while IFS= read -r name; do
        verb=purge
        [ "$(cat "$run/sent/$name")" = copy ] || verb=deletefile
        "$program" "--temp-dir=$run" "$verb" "$@" -- "$destination/$name" </dev/null >"$run/said" 2>&1 || continue
        mv "$run/sent/$name" "$run/gone/$name"
    done <"$run/old"
}

# Copies the entries that are complete and new, the oldest first. Only the newest $keep entries are copied, or all
# entries if $keep is 0.
round() { # RCLONE'S-OPTIONS...
    ls -1t "$source" >"$run/names" 2>"$run/said" || { tail -n 1 "$run/said" >"$run/failed" && return 1; }
    : >"$run/wanted"
    count=0
    while IFS= read -r name; do
        eligible "$name" || continue
        count=$((count + 1))
        [ "$keep" -eq 0 ] || [ "$count" -le "$keep" ] || break
        marker=$run/sent/$name
        [ -e "$marker" ] || marker=$run/gone/$name
        if [ -e "$marker" ] && ! newer "$name" "$marker"; then continue; fi
        printf '%s\n' "$name" >>"$run/wanted"
    done <"$run/names"
    bad=0
    sed -n '1!G;h;$p' "$run/wanted" >"$run/order"
    while IFS= read -r name; do
        mine || return 1
        copy "$name" "$@" || bad=1
    done <"$run/order"
    prune "$@"
    [ "$bad" = 1 ] || rm -f "$run/failed"
}

while mine; do
    last=
    if [ -e "$run/stop" ] || session_over; then last=1; fi
    : >"$run/mark"
    sleep "$settle"
    round "$@"
    : >"$run/rounds"
    if [ -n "$last" ]; then break; fi
    pause "$every"
done
mine || exit 0
rm -f "${run%/*}/rclone"
: >"$run/ended"

# The result stays for an hour, so that clients can still ask for it.
left=1800
while mine && [ "$left" -gt 0 ]; do
    sleep 2
    left=$((left - 1))
done
mine || exit 0
rm -rf "${run%/*}"
