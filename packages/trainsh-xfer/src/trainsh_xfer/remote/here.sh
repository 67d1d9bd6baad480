# shellcheck shell=sh
# Functions that run on this machine. The rules in files.sh apply.

# Runs a remote shell, and drops its output up to and including a line that ends in MARK. `read` reads a pipe byte by
# byte, so everything after that line is left for `cat`. Fails if there is no such line.
pass_from_mark() { # MARK SHELL'S WORDS...
    mark=$1
    shift
    "$@" | {
        while IFS= read -r line; do
            case $line in
            *"$mark") exec cat ;;
            esac
        done
        exit 1
    }
}

# The command that ssh-agent is started with. It ends when its input is closed, and ssh-agent ends with it.
hold_agent() {
    echo "$SSH_AGENT_PID"
    exec cat >/dev/null
}

# Runs the sender, and connects two other commands by pipes: the bridge (on the sender's host) and the receiver. If the
# bridge fails, it ends all of them: they are one process group. If the sender fails, the others get one second to
# print why, and are then ended.
join_hosts() { # FOLDER BRIDGE RECEIVER SENDER'S WORDS...
    d=$1
    bridge=$2
    receiver=$3
    shift 3
    rm -f "$d/out" "$d/back"
    mkfifo -m 600 "$d/out" "$d/back" || exit 1
    trap 'exit 255' TERM
    { sh -c "$bridge" >"$d/out" <"$d/back" || kill -TERM 0; } &
    b=$!
    sh -c "$receiver" <"$d/out" >"$d/back" &
    r=$!
    "$@"
    s=$?
    if [ "$s" -ne 0 ]; then
        trap '' TERM
        { sleep 1 && kill -TERM 0; } >/dev/null 2>&1 &
    fi
    wait "$b" "$r"
    exit "$s"
}

# Waits until its input ends (the process of the transfer has ended or was killed), then runs each command line.
clean_up_after() { # COMMAND...
    cat >/dev/null
    for line in "$@"; do
        sh -c "$line" </dev/null >/dev/null 2>&1
    done
}

# Runs a command, and ends it when our input ends, since then the process that started us has been killed. A signal to
# the process group reaches the command too; then we wait until the command has ended.
end_with_parent() { # COMMAND...
    exec 3<&0
    "$@" </dev/null 3<&- &
    c=$!
    { cat <&3 && kill -TERM "$c"; } >/dev/null 2>&1 &
    w=$!
    trap : TERM
    wait "$c"
    s=$?
    while kill -0 "$c" 2>/dev/null; do
        wait "$c"
        s=$?
    done
    kill "$w" 2>/dev/null
    exit "$s"
}
