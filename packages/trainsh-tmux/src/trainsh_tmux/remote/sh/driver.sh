# shellcheck shell=sh disable=SC1090,SC1091,SC2154,SC2034
# The driver for a plain sh (see driver.bash). A plain sh reads this file only once, so an interrupt ends the
# session.
{ __train_status=$? __train_flags=$-; set +euvxC; } 2>/dev/null
{ __train_enter; } 2>/dev/null
while command :; do
    __train_turn=
    { __train_turn=1 && __train_next || break; } 2>/dev/null
    # If a step has used up the descriptors (`ulimit -n`), no file can be opened, and this loop would run for ever.
    case $__train_turn in '') exit 1 ;; esac
    # Some shells report ended background jobs at the next command. With `jobs` they report now, and not in a step's
    # output.
    command jobs >/dev/null 2>&1
    case $__train_how in
    background)
        __train_background
        continue
        ;;
    run*) {
        __train_ran=1
        eval "$__train_options"
        . "$__train_file"
        { __train_status=$? __train_flags=$-; } 2>/dev/null
    } </dev/tty 9<&- ;;
    capture*) {
        __train_ran=1
        eval "$__train_options"
        . "$__train_file"
        { __train_status=$? __train_flags=$-; } 2>/dev/null
    } </dev/tty 9<&- >"$__train_out" ;;
    esac
    { __train_end; } 2>/dev/null
done
{ __train_flags=$-; set +euvxC; } 2>/dev/null
case $__train_step in
?*)
    { __train_leave; } 2>/dev/null
    . "$__train_lib/driver.sh"
    ;;
esac
