# shellcheck shell=sh
# Functions that run on two hosts of which one logs in to the other. The rules in files.sh apply.

# At the source: creates a private folder with the destination's host keys and a stand-in for ssh. Prints its path.
prepare_source() { # KNOWN_HOSTS STAND_IN
    d=$(mktemp -d "${TMPDIR:-/tmp}/trainsh-xfer.XXXXXX") &&
        printf '%s\n' "$1" >"$d/known_hosts" &&
        printf '%s\n' "$2" >"$d/note" &&
        echo "folder $d"
}

# The stand-in for ssh, a separate script: writes its command to a file beside the script.
note_command() { # HOST COMMAND...
    shift
    printf '%s\n' "$*" >"${0%/*}/command"
}

# At the source: removes what prepare_source created.
clean_source() { # FOLDER
    cd "$1" && rm -f known_hosts note command agent*
    cd / && rmdir "$1"
    return 0
}

# At the destination: prints its clock, the address of its sshd, and its public host keys.
introduce() {
    echo "clock $(date +%Y%m%d%H%M)"
    echo "connection $SSH_CONNECTION"
    sed 's/^/key /' /etc/ssh/ssh_host_*_key.pub 2>/dev/null
    return 0
}

# At the destination: allows a key, and removes an older line with the same mark. Prints `allowed`.
allow_key() { # LINE MARK
    umask 077
    mkdir -p "$HOME/.ssh" && f=$HOME/.ssh/authorized_keys && touch "$f" && {
        grep -v -F "$2" "$f" >"$f.$2"
        [ -z "$(tail -c 1 "$f.$2")" ] || echo >>"$f.$2"
        printf '%s\n' "$1" >>"$f.$2" && cat "$f.$2" >"$f" && rm -f "$f.$2" && echo allowed
    }
}

# At the destination: removes the line with the mark.
forbid_key() { # MARK
    f=$HOME/.ssh/authorized_keys
    umask 077
    grep -v -F "$1" "$f" >"$f.$1"
    cat "$f.$1" >"$f" && rm -f "$f.$1"
    return 0
}
