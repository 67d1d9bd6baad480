# shellcheck shell=sh disable=SC2154,SC3013,SC2086,SC2034
# The first request of a connection: finds train's folder on this host. It replies `root PATH`, `machine TOKEN`,
# `node NODE`, and also `lib` if this version's scripts are installed. If no folder can be used, it replies only
# `nowhere PATH`.
# Several machines may share a home folder. A node is one of these machines, from one start of the machine to the
# next. $train_digest is the name of this version, $train_random a new random token. This script sets variables for
# later requests: $base, the folder of all nodes that share the home; $r, the folder of this node; $lib, the folder
# of the scripts; $node, the name of this node; and $socks, the folder of tmux's sockets.

started() { # PID: sets $start to the time when the process PID was started, in clock ticks since boot, or as the
    # date that ps prints. Fails and sets $start to `-` if there is no such process.
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

train_node() { # sets $here to the name of this machine, and $node to HOST.BOOT.START. HOST is the machine's name,
    # BOOT the id of the boot, and START the time when process 1 was started.
    here='' boot=''
    IFS= read -r here </proc/sys/kernel/hostname || here=$(uname -n)
    case $here in '' | . | .. | *[!A-Za-z0-9._-]*) here=unnamed ;; esac
    IFS= read -r boot </proc/sys/kernel/random/boot_id || boot=$(sysctl -n kern.boottime | tr -cd 0-9 | cut -c 1-10)
    started 1
    node=$here.$boot.$start
} 2>/dev/null

train_root() { # sets $base, and creates that folder if it is missing; fails if the folder does not belong to this
    # user
    base=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/tmux-trainsh
    [ -w "$base/sessions" ] ||
        { [ -d "${XDG_STATE_HOME:-${HOME:-/nonexistent}}" ] && mkdir -p "$base/sessions" "$base/lib"; } || {
        base=/tmp/train-$(id -u)-state
        mkdir -p "$base" "$base/sessions" "$base/lib"
    }
    # POSIX does not have `-O` (this user owns the file), but every sh in use has it.
    # shellcheck disable=SC3067
    [ -w "$base/sessions" ] && [ -O "$base" ] && [ ! -L "$base" ]
} 2>/dev/null

train_own() { # sets $r to this node's folder. For the first node this is $base. For each other node that shares the
    # home, it is a folder in $base.
    r=$base
    [ -e "$base/owner" ] || (set -C && printf '%s\n' "$node" >"$base/owner") 2>/dev/null
    IFS= read -r owner <"$base/owner" || return 0
    case $owner in
    "$node") ;;
    # This is the machine of the first node, after it was restarted or renamed.
    "$here."*.* | *".$boot.$start") printf '%s\n' "$node" >"$base/owner" ;;
    *)
        r=$base/on/$here
        [ -d "$r/sessions" ] || mkdir -p "$r/sessions"
        ;;
    esac
} 2>/dev/null

train_agent() { # makes $r/agent a link to the ssh agent of this connection. Sessions have $r/agent as
    # SSH_AUTH_SOCK.
    [ -S "${SSH_AUTH_SOCK-}" ] && [ "$SSH_AUTH_SOCK" != "$r/agent" ] || return 0
    [ "$SSH_AUTH_SOCK" -ef "$r/agent" ] || { rm -f -- "$r/agent" && ln -s -- "$SSH_AUTH_SOCK" "$r/agent"; }
} 2>/dev/null

train_user() { # sets $user to the number of this user. It is read from /proc if there is one, because to start a
    # program takes a hundred times as long.
    while IFS=' 	' read -r x y user rest; do
        [ "$x" != Uid: ] || return 0
    done </proc/self/status
    user=$(id -u)
} 2>/dev/null

train_socks() { # sets $socks to a folder that this user owns, because another user's tmux server must not get our
    # requests. The program tmux checks the owner of a socket's folder itself, except if the variable TMUX names the
    # socket. The function tm (session.sh) names it so.
    [ -d "${TMUX_TMPDIR-}" ] && socks=$TMUX_TMPDIR || socks=/tmp
    train_user
    socks=$socks/tmux-$user
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
    # The token is written to a file with another name, and then that file is renamed. If a full disk cut the token
    # short, it is replaced.
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
