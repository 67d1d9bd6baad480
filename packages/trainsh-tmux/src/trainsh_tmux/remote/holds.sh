#!/bin/sh
# Tells what of a job still stands on this host; touches nothing.
# usage: holds.sh SERVER-FOLDER SESSION... -- STEP...
# Prints `session NAME TOKEN running|released|gone COVERS` and `step ID running|ended|lost|never STATUS WHY`; `-` for
# what is not known. COVERS: the last step in the snapshot that a restore would give back.
server=$1
shift
boot=
[ ! -r /proc/sys/kernel/random/boot_id ] || IFS= read -r boot </proc/sys/kernel/random/boot_id

first() { # FILE: its first word, or -
    word=
    [ ! -r "$1" ] || IFS=' ' read -r word _ <"$1"
    printf '%s' "${word:--}"
}

lives() { # FILE: whether the process it names lives: not a zombie, and of this boot where the file says which
    [ -r "$1" ] && IFS=' ' read -r pid since _ <"$1" && kill -0 "$pid" 2>/dev/null || return 1
    case $since in *-*-*) [ "$since" = "$boot" ] || return 1 ;; esac
    [ ! -r "/proc/$pid/stat" ] || ! IFS= read -r stat <"/proc/$pid/stat" || case $stat in
    *") Z "* | *") X "*) return 1 ;;
    esac
}

session() { # NAME
    dir=$server/$1
    state=gone
    if lives "$dir/pid"; then
        case $(first "$dir/state") in released*) state=released ;; *) state=running ;; esac
    fi
    printf 'session %s %s %s %s\n' "$1" "$(first "$dir/session")" "$state" "$(first "$dir/covers")"
}

step() { # ID
    for file in "$server"/*/steps/"$1.claim"; do
        [ -e "$file" ] || continue
        file=${file%.claim}
        why=
        [ ! -r "$file.why" ] || IFS= read -r why <"$file.why"
        status=
        [ ! -e "$file.status" ] || IFS= read -r status <"$file.status" || for named in "$file.status="*; do
            status=${named##*=}
        done
        case $status in
        lost) printf 'step %s lost - %s\n' "$1" "$why" ;;
        ?*) printf 'step %s ended %s %s\n' "$1" "$status" "$why" ;;
        *)
            alive=$file.pid
            [ -e "$alive" ] || alive=${file%/steps/*}/pid
            if lives "$alive"; then printf 'step %s running\n' "$1"; else printf 'step %s lost - %s\n' "$1" "$why"; fi
            ;;
        esac
        return
    done
    printf 'step %s never\n' "$1"
}

while [ "$#" -gt 0 ] && [ "$1" != -- ]; do
    session "$1"
    shift
done
[ "$#" -eq 0 ] || shift
for id in "$@"; do step "$id"; done
