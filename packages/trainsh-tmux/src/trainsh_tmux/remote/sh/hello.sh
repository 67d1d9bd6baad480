# shellcheck shell=sh disable=SC2154,SC3013,SC2086
# The greeting of a connection: finds train's folder on this host and replies `root PATH`, `machine TOKEN`, `node NODE`,
# and `lib` if this version's scripts are installed; or `nowhere PATH` if no folder can be used.
# A node is a machine between two of its starts. Given: $train_digest names this version, $train_random is a new random
# token. Sets, for the requests that follow: $base, the folder of all nodes that share the home; $r, the folder of this
# node; $lib, the folder of the scripts; $node, the name of this node; $socks, the folder of tmux's sockets.

started() { # PID: sets $start to the start time of that process: clock ticks since boot, or a date of ps; `-` if none
    start=-
    if [ -r /proc/self/stat ]; then
        IFS= read -r start <"/proc/$1/stat" || { start=- && return 1; }
        set -- ${start##*) }
        shift 19
        start=$1
    else
        start=$(ps -o lstart= -p "$1" | tr -s ' ' _) && [ -n "$start" ] || { start=- && return 1; }
    fi
} 2>/dev/null

train_node() { # sets $here to the name of this machine and $node to HOST.BOOT.START (boot id, start time of process 1)
    here='' boot=''
    IFS= read -r here </proc/sys/kernel/hostname || here=$(uname -n)
    case $here in '' | . | .. | *[!A-Za-z0-9._-]*) here=unnamed ;; esac
    IFS= read -r boot </proc/sys/kernel/random/boot_id || boot=$(sysctl -n kern.boottime | tr -cd 0-9 | cut -c 1-10)
    started 1
    node=$here.$boot.$start
} 2>/dev/null

train_root() { # sets $base, and creates that folder if it is missing; fails if it is not this user's own
    base=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/tmux-trainsh
    [ -w "$base/sessions" ] ||
        { [ -d "${XDG_STATE_HOME:-${HOME:-/nonexistent}}" ] && mkdir -p "$base/sessions" "$base/lib"; } || {
        base=/tmp/train-$(id -u)-state
        mkdir -p "$base" "$base/sessions" "$base/lib"
    }
    # `-O` (this user owns the file) is not in POSIX, but every sh in use has it.
    # shellcheck disable=SC3067
    [ -w "$base/sessions" ] && [ -O "$base" ] && [ ! -L "$base" ]
} 2>/dev/null

train_own() { # sets $r: $base for the first node, a folder in $base for each other node that shares the home
    r=$base
    (set -C && printf '%s\n' "$node" >"$base/owner") 2>/dev/null
    IFS= read -r owner <"$base/owner" || return 0
    case $owner in
    "$node") ;;
    # The same machine: it was restarted, or renamed.
    "$here."*.* | *".$boot.$start") printf '%s\n' "$node" >"$base/owner" ;;
    *)
        r=$base/on/$here
        [ -d "$r/sessions" ] || mkdir -p "$r/sessions"
        ;;
    esac
} 2>/dev/null

train_agent() { # makes the link `agent`, the SSH_AUTH_SOCK of sessions, point to the ssh agent of this connection
    [ -S "${SSH_AUTH_SOCK-}" ] && [ "$SSH_AUTH_SOCK" != "$r/agent" ] || return 0
    [ "$SSH_AUTH_SOCK" -ef "$r/agent" ] || { rm -f -- "$r/agent" && ln -s -- "$SSH_AUTH_SOCK" "$r/agent"; }
} 2>/dev/null

train_socks() { # sets $socks to a folder that this user owns: the tmux server of another user must not get our requests
    # tmux itself checks the owner too, but not if the variable TMUX names the socket (see tm).
    [ -d "${TMUX_TMPDIR-}" ] && socks=$TMUX_TMPDIR || socks=/tmp
    socks=$socks/tmux-$(id -u)
    [ -d "$socks" ] || mkdir -m 700 "$socks"
    # shellcheck disable=SC3067
    if [ ! -O "$socks" ] || [ -L "$socks" ]; then
        socks=$base/tmux
        mkdir -p "$socks"
    fi
} 2>/dev/null

train_hello() { # sets the variables named above and replies
    if ! train_root; then
        say nowhere "$base"
        return
    fi
    train_node
    train_own
    train_agent
    lib=$base/lib/$train_digest
    train_socks
    unset TMUX TMUX_PANE
    # The token is written to a file of another name, which is then renamed. If a full disk cut it short, it is
    # replaced.
    IFS= read -r machine <"$base/machine" && [ "${#machine}" -ge 16 ] ||
        { printf '%s\n' "$train_random" >"$base/machine.$$" && mv -f "$base/machine.$$" "$base/machine" && machine=$train_random; } ||
        machine=
    say root "$r"
    say machine "$machine"
    say node "$node"
    if [ -e "$lib/whole" ]; then
        # shellcheck disable=SC1091
        . "$lib/requests.sh"
        say lib
    fi
} 2>/dev/null
