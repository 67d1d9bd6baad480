# shellcheck shell=sh
# Functions that run on this machine. They follow the rules at the top of files.sh.

# Runs a remote shell (SHELL'S WORDS). Drops its output up to the line that ends with the text MARK, and drops that
# line too. `cat` passes on everything after that line, because `read` would read a pipe byte by byte. The function
# fails if no line ends with MARK.
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

# ssh-agent runs this function as its command. The function prints the agent's process id, and ends when its input
# is closed. Then ssh-agent ends too.
hold_agent() {
    echo "$SSH_AGENT_PID"
    exec cat >/dev/null
}

# Runs rsync on two hosts, and passes the data between them through this machine. Three commands do this: SENDER'S
# WORDS runs rsync on the first host. BRIDGE also connects to the first host, and passes data to and from the rsync
# there. RECEIVER runs rsync on the second host. Two pipes in FOLDER connect BRIDGE and RECEIVER. The three commands
# are one process group. If BRIDGE fails, the whole group is ended. If SENDER'S WORDS fails, the other two get one
# second to print the reason, and then the group is ended.
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

# Waits until its input ends, which means that the process of the transfer has ended or was killed. Then runs each
# COMMAND, which is a command line.
clean_up_after() { # COMMAND...
    cat >/dev/null
    for line in "$@"; do
        sh -c "$line" </dev/null >/dev/null 2>&1
    done
}

# Runs a command. The input of this shell ends if the process that started the shell is killed. Then the shell ends
# the command. A signal to the process group reaches both the shell and the command. In this case the shell waits
# until the command has ended.
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
