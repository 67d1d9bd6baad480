# shellcheck shell=sh
# Functions that let one host copy to another. The rules in files.sh apply.

# At the source: creates a private folder with the destination's host keys and two stand-ins for ssh. Removes such
# folders that are older than a day.
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

# Runs as a script in place of ssh: writes the command that it got to a file beside the script.
note_command() { # HOST COMMAND...
    shift
    printf '%s\n' "$*" >"${0%/*}/command"
}

# Runs as a script in place of ssh: connects rsync to the pipes of `bridge`. It ends when the other side ends; rsync
# waits for this before it closes its own end.
join_bridge() { # HOST COMMAND...
    exec 3<&0
    cat <&3 >"${0%/*}/out" &
    exec cat "${0%/*}/in" 3<&-
}

# At the source: makes new pipes, and releases a process that still waits for an old one.
make_pipes() { # FOLDER
    cd "$1" || exit 1
    for f in in out; do
        [ ! -p "$f" ] || : <>"$f"
    done
    rm -f in out && mkfifo in out
}

# At the source: prints the sentinel, then joins the pipes of `join_bridge` to this channel.
bridge() { # FOLDER MARK
    cd "$1" || exit 1
    printf '%s\n' "$2"
    cat out &
    exec cat >in
}

# At the source: removes what prepare_source created, and releases a process that still waits for a pipe.
clean_source() { # MARK
    cd "${TMPDIR:-/tmp}/$1" || exit 0
    for f in in out; do
        [ ! -p "$f" ] || : <>"$f"
    done
    rm -f known_hosts note join command in out agent*
    cd / && rmdir "${TMPDIR:-/tmp}/$1"
    return 0
}

# At the destination: prints its clock and its public host keys.
introduce() {
    echo "clock $(date +%Y%m%d%H%M)"
    sed 's/^/key /' /etc/ssh/ssh_host_*_key.pub 2>/dev/null
    return 0
}

# At the destination: allows a key, and removes an older line with the same mark and lines of ours that have
# expired. Prints `allowed`.
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

# At the destination: removes the line with the mark.
forbid_key() { # MARK
    f=$HOME/.ssh/authorized_keys
    umask 077
    grep -q -F "$1" "$f" 2>/dev/null || exit 0
    grep -v -F "$1" "$f" >"$f.$1"
    cat "$f.$1" >"$f" && rm -f "$f.$1"
    return 0
}
