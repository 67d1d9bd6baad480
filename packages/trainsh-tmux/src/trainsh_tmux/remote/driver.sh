# shellcheck shell=sh disable=SC1090,SC1091,SC2016,SC2034,SC2154,SC2288
# The driver: what the shell of a session runs while it has no step (docs/sessions.md, "The driver").
#
# Sourced, never a function: a step must run at the top level of the session's own shell, or `declare` would
# make its variables local. Names begin with __train_, since the shell belongs to the user. `\command` goes
# past aliases and functions of that name. Under bash it is entered through PROMPT_COMMAND, to which an
# interrupt always returns; under a plain sh it is read once, and an interrupt ends the session.
{ \set +euvxC; } 2>/dev/null

__train_interrupted
__train_settle
while \command :; do
    # By a step's own `continue`.
    case $__train_step in ?*) __train_end 0 "$-" ;; esac
    # A line that an interrupt came before is still there. A status above 128 is a timeout, where the user's TMOUT
    # sets one.
    case $__train_word in
    '')
        IFS=' ' \command read -r __train_word __train_name __train_mode __train_limit __train_echo <&9 || {
            \[ "$?" -gt 128 ] || break
            __train_word=
            continue
        }
        ;;
    esac
    case $__train_word in
    run) ;;
    release) __train_release && break ;;
    *) __train_word= && continue ;;
    esac
    __train_begin "$__train_name" || { __train_word= && continue; }
    case $__train_mode in
    background*) __train_background ;;
    capture*)
        \eval "$__train_options"
        \. "$__train_file" 9<&- >"$__train_out"
        { __train_end "$?" "$-"; } 2>/dev/null
        ;;
    *)
        \eval "$__train_options"
        \. "$__train_file" 9<&-
        { __train_end "$?" "$-"; } 2>/dev/null
        ;;
    esac
done
# Here after `release`, after a closed FIFO, or because a step's own `break` left the loop above.
{ \set +euvx; } 2>/dev/null
case ${__train_step-} in
?*)
    __train_end 0 "$-"
    \. "$__train_lib/driver.sh"
    ;;
esac
