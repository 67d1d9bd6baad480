# shellcheck shell=sh
# Functions that run on this machine. The rules in files.sh apply.

# A remote shell that drops all output up to a line that ends in the sentinel. `read` reads a pipe byte by byte, so
# everything after that line is left for `cat`. Fails if there is no such line.
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

# The command of an ssh-agent. It ends, and the agent with it, when its input is closed.
hold_agent() {
    echo "$SSH_AGENT_PID"
    exec cat >/dev/null
}

# Runs the sender, and joins two other commands to each other: the bridge on the sender's host and the receiver. A
# bridge that fails ends them all (this is the process group of the transfer). What is left after a failure gets a
# second to say why.
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

# Waits until its input ends, when the transfer has ended or was killed, then runs each command line.
clean_up_after() { # COMMAND...
    cat >/dev/null
    for line in "$@"; do
        sh -c "$line" </dev/null >/dev/null 2>&1
    done
}

# Runs a command, and ends it when our input ends: then the process that started it has been killed. A signal to the
# group reaches the command too, and we wait until it has ended.
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
