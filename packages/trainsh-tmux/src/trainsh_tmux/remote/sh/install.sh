# shellcheck shell=sh disable=SC2154
# Installs this version's scripts in $lib: either all of them or none. They are written to another folder and
# checked. Then that folder is renamed.

install_begin() { # makes the other folder, $new; replies `full` if the disk has no space
    new=$lib.new.$$
    rm -rf -- "$new"
    mkdir -p "$new" || say full
}

install_file() { # NAME BYTES TEXT: writes the script NAME, and checks that its size is BYTES; replies `full` if it
    # has another size
    if ! { printf %s "$3" >"$new/$1" && [ "$(wc -c <"$new/$1")" -eq "$2" ]; }; then
        say full
        rm -rf -- "$new"
        return 1
    fi
}

install_end() { # renames the new folder to $lib, and defines the functions that requests call
    if : >"$new/whole" && { [ -e "$lib/whole" ] || { rm -rf -- "$lib" && mv "$new" "$lib"; }; }; then
        # shellcheck disable=SC1091
        . "$lib/requests.sh"
    else
        say full
    fi
    [ ! -d "$new" ] || rm -rf -- "$new"
}
