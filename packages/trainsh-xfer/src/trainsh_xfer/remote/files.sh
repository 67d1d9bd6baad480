# shellcheck shell=sh
# Functions that run on one host, for its files and its rsync.
# Each function is sent alone, as one line (library.py). So it calls no other function, its comments have their own
# lines, and it has no text over several lines.

# The program of --rsync-path: prints its process id on stderr, then executes rsync, which keeps that id.
announce_rsync() { # RSYNC'S WORDS...
    echo "train-xfer process $$" >&2
    exec rsync "$@"
}

# Prints `folder` or `file` for a symbolic link to one, and nothing for any other path.
link_kind() { # PATH
    test -L "$1" || return 0
    test ! -d "$1" || echo folder
    test ! -f "$1" || echo file
}

# Stops a remote rsync and waits until it has saved its partial file. Any other process with that id is left alone.
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

# Removes the empty folders in each folder. The folder itself stays if its path ends in `/.`.
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
