# shellcheck shell=sh
# What runs on this machine. The rules of files.sh hold here too.

# A remote shell that passes nothing on before a line that ends in the mark. `read` takes a byte at a time from a pipe,
# so that it leaves everything behind the line to `cat`.
pass_from_mark() { # MARK SHELL'S WORDS...
    mark=$1
    shift
    "$@" | while IFS= read -r line; do
        case $line in
        *"$mark") exec cat ;;
        esac
    done
}

# The command of an ssh-agent, which ends when this does: when the other end of its input is closed.
hold_agent() {
    echo "$SSH_AGENT_PID"
    exec cat >/dev/null
}
