# shellcheck shell=sh
# Functions that run on this machine. The rules in files.sh apply.

# A remote shell that drops all output up to a line that ends in the sentinel. `read` reads a pipe byte by byte, so
# everything after that line is left for `cat`.
pass_from_mark() { # MARK SHELL'S WORDS...
    mark=$1
    shift
    "$@" | while IFS= read -r line; do
        case $line in
        *"$mark") exec cat ;;
        esac
    done
}

# The command of an ssh-agent. It ends, and the agent with it, when its input is closed.
hold_agent() {
    echo "$SSH_AGENT_PID"
    exec cat >/dev/null
}
