#!/bin/bash
# The driver: the loop that a session's shell runs (docs/sessions.md, "The driver").
#
# This file is sourced. It is not a function, because a step must run at the top level of the session's shell: in a
# function, `declare` would make local variables. All names begin with __train_, because the shell belongs to the
# user. Commands are written as `\command`, so that no alias replaces them.
# The shell's input is a FIFO that contains the line that runs this file many times. When an error or an interrupt
# makes the shell return to its top level, the shell reads that line and runs this file again, with the status in
# $?.
# shellcheck disable=SC1090,SC1091,SC2154,SC2034
{ __train_status=$? __train_flags=$-; \set +euvxCTE; \unset -f builtin enable; \enable . : '[' break builtin command continue declare disown eval exec exit export printf read return set shopt trap unset wait; \builtin unset -f command set eval '[' . unset shopt exec; \shopt -q expand_aliases && __train_aliases=-s || __train_aliases=-u; \shopt -u expand_aliases; } 2>/dev/null
{ case $__train_secrets in ?*) __train_traps=$(\builtin trap -p) ;; esac; __train_enter "$@"; } 2>/dev/null

# A DEBUG trap can make bash skip every command. Bash then skips this `false` too, and the loop ends.
until \command false; do
    __train_turn=
    { __train_turn=1 && __train_next "$@" || break; } 2>/dev/null
    # If a step has used up the descriptors (`ulimit -n`), no file can be opened, and this loop would run for ever.
    case $__train_turn in '') \command exit 1 ;; esac
    case $__train_how in
    background)
        __train_background "$@"
        continue
        ;;
    note)
        if [ -t 2 ]; then __train_open=; else __train_open=' fd:2'; fi
        {
            __train_descriptors
            __train_traps=$(\builtin trap -p)
            __train_note "$@"
        } 2>/dev/null
        continue
        ;;
    # The `!` keeps an ERR trap from reporting a line of this file. The modes for `set -e`, run-e and capture-e,
    # have no `!`, because a `!` would switch `set -e` off.
    run) {
        __train_ran=1
        \eval "$__train_options"
        ! \. "$__train_file"
        { __train_status=${PIPESTATUS[0]} __train_flags=$-; } 2>/dev/null
    } </dev/tty 9<&- ;;
    capture) {
        __train_ran=1
        \eval "$__train_options"
        ! \. "$__train_file"
        { __train_status=${PIPESTATUS[0]} __train_flags=$-; } 2>/dev/null
    } </dev/tty 9<&- >"$__train_out" ;;
    run-e) {
        __train_ran=1
        \eval "$__train_options"
        \. "$__train_file"
        { __train_status=$? __train_flags=$-; } 2>/dev/null
    } </dev/tty 9<&- ;;
    capture-e) {
        __train_ran=1
        \eval "$__train_options"
        \. "$__train_file"
        { __train_status=$? __train_flags=$-; } 2>/dev/null
    } </dev/tty 9<&- >"$__train_out" ;;
    esac
    {
        # The traps are listed here and not in a function, because a function does not see the traps DEBUG, ERR and
        # RETURN.
        case $__train_secrets in ?*) __train_traps=$(\builtin trap -p) ;; esac
        __train_end "$@"
    } 2>/dev/null
done
# The loop ends if the session is released, if a step called `break`, or if a DEBUG trap under `extdebug` skips
# every command. In each case bash does the redirection below, which makes the file `skipped`. Then __train_leave
# removes that file, unless the trap skips the call of __train_leave too. So if the file stays, the watcher knows
# that there is such a trap.
{ \command :; } 1<>"$__train_dir/skipped"
{ __train_flags=$-; \set +euvxCTE; } 2>/dev/null
{ __train_leave "$@"; } 2>/dev/null
