#!/bin/bash
# The functions of the driver that only bash needs. They control the shell's input and prompt.
# shellcheck disable=SC2154,SC2034,SC2140

__train_hold() { # prepares the shell for the driver: hides the prompt, and makes the shell read the line that runs
    # the driver each time when it is at its top level
    __train_show
    __train_released='' __train_top=$__train_drive
    \set +o emacs +o vi +o history
    __train_hold_prompt
    # The shell has read one copy of the line that runs the driver. So put one copy back into the FIFO.
    \builtin printf ' \\eval "$__train_top"\n' >&0
}

__train_fill() { # writes to the FIFO 256 copies of the line that runs the driver. They are needed if several
    # interrupts come before __train_hold puts a copy back.
    __train_more=' \eval "$__train_top"
'
    for __train_count in 1 2 3 4 5 6 7 8; do __train_more=$__train_more$__train_more; done
    \builtin printf %s "$__train_more" >&0
}

__train_hold_prompt() { # sets PROMPT_COMMAND so that the prompt is hidden
    [ "${PROMPT_COMMAND-}" != "$__train_prompt" ] || return 0
    __train_theirs=${PROMPT_COMMAND-}
    # If PROMPT_COMMAND is read-only, this command fails. The only effect is that a prompt is visible after an
    # interrupt.
    \builtin printf -v PROMPT_COMMAND %s "$__train_prompt"
}

__train_show() { # restores the prompt
    [ -n "$__train_hidden" ] || return 0
    \builtin printf -v PS1 %s "$__train_ps1"
    __train_hidden=
}

__train_hide() { # hides the prompt
    [ -z "$__train_hidden" ] || return 0
    __train_ps1=${PS1-} __train_hidden=1
    \builtin printf -v PS1 %s ''
}

__train_let_go() { # releases the session: makes it an ordinary shell, with its own prompt, history and input
    \command unset "${__train_given[@]}"
    __train_given=()
    # bash can change its input only at its top level. So a line that changes the input is written to the FIFO. The
    # older lines in the FIFO run $__train_top, which does nothing from now on.
    __train_top=:
    \builtin printf ' { \\exec 0</dev/tty; } 2>/dev/null; { __train_given_back; } 2>/dev/null; \\set -o %s -o history\n' "$__train_edit" >&0
}

__train_given_back() { # restores the user's prompt and PROMPT_COMMAND
    __train_show
    \builtin printf -v PROMPT_COMMAND %s "$__train_theirs"
}

__train_give() { # NAME...: records the names of variables that shell.rc has set, so that a release unsets these
    # variables
    __train_given=("$@")
}

__train_extended() { # called if `set -T` and `set -E` are both on. If the reason is `shopt -s extdebug`, turns
    # extdebug off, and has the next step turn it on again.
    ! \shopt -q extdebug || { \shopt -u extdebug && __train_options=": ; shopt -s extdebug"; }
}
