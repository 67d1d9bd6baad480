# shellcheck shell=sh disable=SC2154
# Installs this version's scripts in $lib: writes and checks them in another folder, then renames it, so that all of them
# are installed or none.

install_begin() { # replies `full` when there is no room
    new=$lib.new.$$
    rm -rf -- "$new"
    mkdir -p "$new" || say full
}

install_file() { # NAME BYTES TEXT: writes one script and checks its size; replies `full` if that fails
    if ! { printf %s "$3" >"$new/$1" && [ "$(wc -c <"$new/$1")" -eq "$2" ]; }; then
        say full
        rm -rf -- "$new"
        return 1
    fi
}

install_end() { # puts the new folder in place and defines the functions of the requests
    if : >"$new/whole" && { [ -e "$lib/whole" ] || { rm -rf -- "$lib" && mv "$new" "$lib"; }; }; then
        # shellcheck disable=SC1091
        . "$lib/requests.sh"
    else
        say full
    fi
    [ ! -d "$new" ] || rm -rf -- "$new"
}
