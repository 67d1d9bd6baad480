# shellcheck shell=sh
# Functions that run on one host. They handle its files and its rsync. Each function is sent alone and as one line
# (see library.py). Therefore a function must not call another function, must have each comment on a line of its
# own, and must not contain a text of several lines.

# Runs as the program of --rsync-path. Prints its process id on stderr, and then executes rsync, which keeps this
# id.
announce_rsync() { # RSYNC'S WORDS...
    echo "train-xfer process $$" >&2
    exec rsync "$@"
}

# Prints `folder` if PATH is a symbolic link to a folder, `file` if it is a symbolic link to a file, and otherwise
# nothing.
link_kind() { # PATH
    test -L "$1" || return 0
    test ! -d "$1" || echo folder
    test ! -f "$1" || echo file
}

# Stops the rsync with the id PROCESS, and waits until it has saved its partial file. Does nothing if the process
# with that id is not an rsync.
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

# Removes the empty folders in each FOLDER. The FOLDER itself is removed too if it is empty, unless its path ends
# with `/.`.
remove_empty_folders() { # FOLDER...
    for at in "$@"; do
        find "$at" -depth -type d ! -name . -exec rmdir {} \;
    done 2>/dev/null
    return 0
}

# Prints every .gitignore file below a folder: its path, then its lines.
print_gitignores() { # FOLDER
    cd "$1" || exit 1
    find . -name .git -prune -o -name .gitignore -type f -print | while IFS= read -r f; do
        echo "gitignore $f"
        sed 's/^/line /' "$f"
        echo
    done
}

# Unpacks a program that comes on standard input, compressed with gzip. When all of it has arrived, it gets the name
# PATH.
receive_program() { # PATH
    umask 077
    gzip -dc >"$1.new" && chmod 700 "$1.new" && mv "$1.new" "$1" && echo whole
}
