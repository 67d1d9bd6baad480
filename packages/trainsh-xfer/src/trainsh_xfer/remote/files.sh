# shellcheck shell=sh
# What is asked of one host: about its files and about its rsync.
# A function here stands alone, with comments on lines of their own, and no text over several lines: it is sent as one
# line (library.py).

# The program of --rsync-path: its process id on stderr, then rsync, which keeps that id.
announce_rsync() { # RSYNC'S WORDS...
    echo "train-xfer process $$" >&2
    exec rsync "$@"
}

# Prints `folder` or `file` for a symbolic link that leads to one, and else nothing.
link_kind() { # PATH
    test -L "$1" || return 0
    test ! -d "$1" || echo folder
    test ! -f "$1" || echo file
}

# Ends a remote rsync, and waits until it has put away what it has of a file. Another process with that id is left alone.
end_rsync() { # PROCESS
    words=$(if [ -r "/proc/$1/cmdline" ]; then cat "/proc/$1/cmdline"; else ps -o args= -p "$1"; fi 2>/dev/null)
    case $words in
    *rsync*--server*) kill "$1" ;;
    *) return 0 ;;
    esac
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 1
    done
}

# Removes the empty folders in each folder; one that is written with `/.` at its end stays.
remove_empty_folders() { # FOLDER...
    for at in "$@"; do
        find "$at" -depth -type d ! -name . -exec rmdir {} \;
    done 2>/dev/null
    return 0
}
