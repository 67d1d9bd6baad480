# shellcheck shell=sh disable=SC2154 # transfer.sh sets $transfer and $id
# Functions for the checkpoint pump (pump.sh). They run in the shell of a channel to a host, which has already
# loaded the functions of transfer.sh. $transfer is the pump's folder.

# Starts the pump and replies `started`. If a pump with the same settings runs already, replies `found` instead. A
# new pump knows what the previous pump has copied. ASKED is the text of the settings. PUMP'S-TEXT is the text of
# pump.sh. If STOP is not empty, the pump does one round and ends. WORDS are the arguments of pump.sh after RUN.
xfer_follow() { # ASKED PUMP'S-TEXT STOP WORDS...
    r=$transfer/run-pump
    asked=$1 pump=$2 stop=$3
    shift 3
    if xfer_alive "$r" && [ ! -e "$r/ended" ] && [ ! -e "$r/stop" ] && [ "$(cat "$r/asked")" = "$asked" ]; then
        say found && return 0
    fi
    xfer_end_pump
    mkdir -p "$r" || return 1
    rm -f "$r/ended" "$r/stop" "$r/failed" "$r/keeper" "$r/rclone" "$r/rounds"
    printf '%s\n' "$asked" >"$r/asked"
    [ -z "$stop" ] || : >"$r/stop"
    set -- sh -c "$pump" trainsh-xfer "$r" "$@"
    if command -v setsid >/dev/null; then set -- setsid "$@"; fi
    "$@" </dev/null >/dev/null 2>&1 &
    for wait in 0.1 0.2 0.3 0.4 1 1 1 1 1; do
        [ ! -e "$r/keeper" ] || break # until this file exists, other clients cannot see that the folder is in use
        sleep "$wait" || sleep 1
    done
    say started
}

# Ends the pump at once.
xfer_end_pump() {
    r=$transfer/run-pump
    for f in keeper rclone; do
        ! xfer_is "$r/$f" "$r" || kill "$id"
    done
}

# Replies the pump's state: `following`, `ended`, `lost` (the pump was killed, or the host was restarted) or `none`.
# Also replies which entry is the newest that is safe in the storage, its age in seconds, how many entries the
# storage keeps, and the last error. Replies `rounds` if at least one round is complete.
xfer_following() {
    r=$transfer/run-pump
    if [ ! -d "$r" ]; then say state none && return 0; fi
    state=lost
    if [ -e "$r/ended" ]; then state=ended; elif [ ! -e "$r/keeper" ] || xfer_alive "$r"; then state=following; fi
    [ ! -e "$r/rounds" ] || say rounds
    if [ -s "$r/newest" ]; then
        read -r written name <"$r/newest"
        say age "$(($(date +%s) - written))"
        say newest "$name"
    fi
    say kept "$(ls -1 "$r/sent" | wc -l)"
    [ ! -s "$r/failed" ] || say failed "$(cat "$r/failed")"
    say state "$state"
}

# Tells the pump to do a last round and then to end.
xfer_stop_pump() { : >"$transfer/run-pump/stop" && say asked; }

# Removes the pump's folder.
xfer_forget_pump() {
    xfer_end_pump
    rm -rf "$transfer/run-pump"
    say removed
}
