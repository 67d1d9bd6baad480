# shellcheck shell=sh
# Functions for transfers in which rclone runs on a host. The shell of a channel to the host loads them. `say` sends
# a line of the answer. A transfer has the folder $transfer below $base. Each run of rclone has a folder `run-NAME`
# in it, with: `keeper` and `rclone` (process ids), `log`, `progress` (rclone's last statistics), and at the end an
# empty file `status-N`. No secret is written to a file: credentials are only in the environment of this shell and
# of the processes that it starts.

# Makes the folder of a transfer and replies its path. Also replies the home folder, the platform, and the path and
# the version of rclone. Removes the folders of transfers that have ended.
xfer_hello() { # TRANSFER
    base=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/trainsh-xfer
    transfer=$base/$1
    if mkdir -p "$transfer" && : >"$transfer/seen"; then
        : >"$transfer/client.$$"
        say folder "$transfer"
    fi
    say home "$HOME"
    say platform "$(uname -s) $(uname -m)"
    found=$(command -v rclone) && say rclone "$found" && say version "$("$found" version | sed 1q)"
    xfer_sweep
}

# Removes the folders of transfers whose clients and runs have all ended.
xfer_sweep() {
    for t in "$base"/*; do
        [ ! -d "$t" ] || [ "$t" = "$transfer" ] || xfer_in_use "$t" || rm -rf "$t"
    done
}

# Succeeds if another client of the transfer in FOLDER is alive, or if one of the transfer's runs is alive.
xfer_in_use() { # FOLDER
    for c in "$1"/client.*; do
        [ ! -e "$c" ] || [ "${c##*.}" = $$ ] || ! kill -0 "${c##*.}" || return 0
    done
    for r in "$1"/run-*; do
        ! xfer_alive "$r" || return 0
    done
    return 1
}

# Succeeds if the keeper or the rclone of a run is alive.
xfer_alive() { # RUN'S FOLDER
    xfer_is "$1/keeper" "$1" || xfer_is "$1/rclone" "$1"
}

# Succeeds if the process whose id is in FILE has FOLDER in its arguments; then sets $id. To compare only the id is
# not enough, because ids are reused.
xfer_is() { # FILE FOLDER
    id=$(cat "$1") && [ -n "$id" ] || return 1
    if [ -r "/proc/$id/cmdline" ]; then tr '\0' ' ' <"/proc/$id/cmdline"; else ps -o args= -p "$id"; fi |
        grep -q -F -e "$2"
}

# Starts rclone under a keeper (keeper.sh), which outlives this shell, and replies `started`. If the run NAME is
# still running, replies `found` instead. A run that has ended is started again. KEEPER'S-TEXT is the text of
# keeper.sh, and WORDS are rclone's arguments.
xfer_start() { # NAME KEEPER'S-TEXT UMASK PROGRAM WORDS...
    r=$transfer/run-$1
    keeper=$2
    shift 2
    if ! mkdir "$r"; then
        for f in "$r"/status-*; do [ ! -e "$f" ] || rm -rf "$r"; done
        for wait in 1 1 1; do
            [ -d "$r" ] || break
            if xfer_alive "$r"; then say found && return 0; fi
            sleep "$wait" # the keeper of this run may just be starting
        done
        rm -rf "$r"
        mkdir "$r" || return 1
    fi
    set -- sh -c "$keeper" trainsh-xfer "$r" "$@"
    if command -v setsid >/dev/null; then set -- setsid "$@"; fi
    "$@" </dev/null >/dev/null 2>&1 &
    say started
}

# Replies how far the run NAME is. Lines `L` are COUNT lines of its log, from line number LINE on. Line `P` has its
# last statistics. Line `S` has its state: `starting`, `running`, `lost` (it was killed, or the host was restarted),
# `gone`, or its exit status.
xfer_poll() { # NAME LINE COUNT
    r=$transfer/run-$1
    if [ ! -d "$r" ]; then say S gone && return 0; fi
    : >"$transfer/seen"
    state=starting
    if [ -e "$r/keeper" ]; then state=running && { xfer_alive "$r" || state=lost; }; fi
    for f in "$r"/status-*; do [ ! -e "$f" ] || state=${f##*-}; done
    answer=$(say L)
    [ ! -s "$r/log" ] || sed -n "$2,$(($2 + $3 - 1))p" "$r/log" | sed "s/^/$answer /"
    [ ! -s "$r/progress" ] || say P "$(cat "$r/progress")"
    say S "$state"
}

# Ends a run and removes its folder. rclone first gets some seconds to remove its unfinished uploads.
xfer_cancel() { # NAME
    r=$transfer/run-$1
    ! xfer_is "$r/rclone" "$r" || kill "$id"
    for wait in 0.3 0.7 1 1 1 1; do
        xfer_is "$r/rclone" "$r" || break
        sleep "$wait" || sleep 1
    done
    ! xfer_is "$r/rclone" "$r" || kill -9 "$id"
    xfer_collect "$1"
}

# Removes the folder of a run.
xfer_collect() { # NAME
    r=$transfer/run-$1
    ! xfer_is "$r/keeper" "$r" || kill "$id"
    rm -rf "$r"
    say removed
}

# Ends this client's part in a transfer. The last client also removes the transfer's folder, with the rclone that
# was sent to this host.
xfer_leave() {
    rm -f "$transfer/client.$$"
    xfer_in_use "$transfer" || rm -rf "$transfer"
    rmdir "$base"
    say left
}

# Runs a short command to its end. Replies the lines of its output (`O`), the last lines of its stderr (`E`), and
# its exit status (`S`).
xfer_ask() { # WORDS...
    answer=$(say O)
    { "$@" 2>"$transfer/said.$$" && s=0 || s=$?; echo "$s" >"$transfer/ended.$$"; } | sed "s/^/$answer /"
    answer=$(say E)
    tail -n 20 "$transfer/said.$$" | sed "s/^/$answer /"
    say S "$(cat "$transfer/ended.$$")"
    rm -f "$transfer/said.$$" "$transfer/ended.$$"
}

# Unsets the variables of the account's environment from which rclone would read settings.
xfer_no_settings() {
    # shellcheck disable=SC2046 # names of variables
    unset AWS_CA_BUNDLE $(env | sed -n 's/^\(RCLONE_[A-Z0-9_]*\)=.*/\1/p')
}

# Replies the version of a program that was sent to this host.
xfer_version() { # PROGRAM
    [ ! -x "$1" ] || say "$("$1" version | sed 1q)"
}
