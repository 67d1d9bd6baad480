# shellcheck shell=sh disable=SC2154
# Installs this version's scripts in $lib. They are written to another folder and checked, and then that folder is
# renamed, so that all of them are installed or none.

install_begin() { # makes the other folder, $new; replies `full` if the disk has no room
    new=$lib.new.$$
    rm -rf -- "$new"
    mkdir -p "$new" || say full
}

install_file() { # NAME BYTES TEXT: writes the script NAME and checks that it has BYTES bytes; replies `full` if not
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
