# shellcheck shell=sh
# Functions that let one host copy to another. They follow the rules at the top of files.sh.

# Runs at the source. Creates a private folder called MARK. The folder has the destination's host keys (KNOWN_HOSTS)
# and two scripts that run in place of ssh (NOTE and JOIN are their texts). Prints `folder PATH`. Also removes
# folders of other transfers that are older than a day.
prepare_source() { # MARK NOTE JOIN KNOWN_HOSTS...
    find "${TMPDIR:-/tmp}"/trainsh-xfer-* -prune -mtime +0 -exec rm -rf {} \; 2>/dev/null
    d=${TMPDIR:-/tmp}/$1
    umask 077
    mkdir "$d" && printf '%s\n' "$2" >"$d/note" && printf '%s\n' "$3" >"$d/join" && {
        shift 3
        printf '%s\n' "$@" >"$d/known_hosts"
        echo "folder $d"
    }
}

# Runs as a script in place of ssh. Writes COMMAND to the file `command` beside the script.
note_command() { # HOST COMMAND...
    shift
    printf '%s\n' "$*" >"${0%/*}/command"
}

# Runs as a script in place of ssh. Connects rsync to the pipes of `bridge`. The script ends when the process at the
# other side of the pipes ends. rsync waits for this end before it closes its own side.
join_bridge() { # HOST COMMAND...
    exec 3<&0
    cat <&3 >"${0%/*}/out" &
    exec cat "${0%/*}/in" 3<&-
}

# Runs at the source. Makes new pipes in FOLDER. If a process still waits for an old pipe, it is released, so that
# it ends.
make_pipes() { # FOLDER
    cd "$1" || exit 1
    for f in in out; do
        [ ! -p "$f" ] || : <>"$f"
    done
    rm -f in out && mkfifo in out
}

# Runs at the source. Prints the line MARK, and then connects the pipes of `join_bridge` to the channel in which
# this function runs.
bridge() { # FOLDER MARK
    cd "$1" || exit 1
    printf '%s\n' "$2"
    cat out &
    exec cat >in
}

# Runs at the source. Removes what prepare_source has created. If a process still waits for a pipe, it is released,
# so that it ends.
clean_source() { # MARK
    cd "${TMPDIR:-/tmp}/$1" || exit 0
    for f in in out; do
        [ ! -p "$f" ] || : <>"$f"
    done
    rm -f known_hosts note join command in out agent*
    cd / && rmdir "${TMPDIR:-/tmp}/$1"
    return 0
}

# Runs at the destination. Prints the host's clock and public host keys.
introduce() {
    echo "clock $(date +%Y%m%d%H%M)"
    sed 's/^/key /' /etc/ssh/ssh_host_*_key.pub 2>/dev/null
    return 0
}

# Runs at the destination. Adds LINE, which allows a key, to authorized_keys, and prints `allowed`. Removes an older
# line that contains MARK, and lines of earlier transfers that expired before CLOCK.
allow_key() { # LINE MARK CLOCK
    umask 077
    mkdir -p "$HOME/.ssh" && f=$HOME/.ssh/authorized_keys && touch "$f" && {
        while IFS= read -r l || [ -n "$l" ]; do
            case $l in
            *"$2"*) continue ;;
            *' trainsh-xfer-'*) t=${l#*expiry-time=\"} && [ "${t%%\"*}" -gt "$3" ] 2>/dev/null || continue ;;
            esac
            printf '%s\n' "$l"
        done <"$f" >"$f.$2"
        printf '%s\n' "$1" >>"$f.$2" && cat "$f.$2" >"$f" && rm -f "$f.$2" && echo allowed
    }
}

# Runs at the destination. Removes the line that contains MARK from authorized_keys.
forbid_key() { # MARK
    f=$HOME/.ssh/authorized_keys
    umask 077
    grep -q -F "$1" "$f" 2>/dev/null || exit 0
    grep -v -F "$1" "$f" >"$f.$1"
    cat "$f.$1" >"$f" && rm -f "$f.$1"
    return 0
}
