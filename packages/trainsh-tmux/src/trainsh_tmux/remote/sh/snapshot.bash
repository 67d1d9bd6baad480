#!/bin/bash
# Writes snapshots of the state of a session's bash. A later shell of the session can restore a snapshot.
# shellcheck disable=SC2154,SC2034,SC2140
#
# A snapshot is a file of commands. They restore the shell's directory, variables, functions, aliases, options,
# limits, traps and positional parameters. They are written so that functions of the user do not replace them. The
# second line of the file names what the snapshot leaves out. These are left out if they contained a secret: NAME (a
# variable), NAME() (a function), alias:NAME, `traps`, and `positional` (the positional parameters). This is always
# left out: fd:N, a descriptor that a step has opened. POSITIONAL... in the description of a function means the
# shell's positional parameters. Values may be private, so they are written only to the snapshot and never to
# another file.

# The variables that no snapshot has: those of bash itself, and those about the connection or the terminal.
__train_own=' BASH BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND
 BASH_EXECUTION_STRING BASH_LINENO BASH_LOADABLES_PATH BASH_MONOSECONDS BASH_SOURCE BASH_SUBSHELL BASH_TRAPSIG
 BASH_VERSINFO BASH_VERSION BASH_XTRACEFD COLUMNS COMP_WORDBREAKS COPROC DIRSTACK EPOCHREALTIME EPOCHSECONDS EUID FUNCNAME
 GROUPS HISTCMD LINENO LINES PIPESTATUS POSIXLY_CORRECT PPID PWD RANDOM SECONDS SHELLOPTS SHLVL SRANDOM UID _ TERM
 TRAINSH_SESSION SSH_AUTH_SOCK SSH_CONNECTION SSH_CLIENT SSH_TTY PROMPT_COMMAND '
__train_own=${__train_own//$'\n'/}

__train_born() { # records the names of the variables, functions and so on that the login files have made. If a step
    # removes one of them, the commands of the snapshot remove it too.
    \builtin compgen -v >"$__train_dir/born.variables"
    \builtin compgen -A function >"$__train_dir/born.functions"
    \builtin compgen -a >"$__train_dir/born.aliases"
    \builtin ulimit -S -a >"$__train_dir/born.limits"
    # These two files are made now, before a step sets a umask that would make them unreadable.
    \command : >"$__train_dir/names" && \command : >"$__train_dir/limits"
}

__train_note() { # POSITIONAL...: writes the snapshot. The caller must set $__train_traps to the shell's traps
    # before, because a function does not see all traps.
    __train_idle='' __train_noted=
    __train_note_derived
    {
        \builtin printf '# after %s\n# left-out%s%s\n' "$__train_last" "$__train_tainted" "$__train_open" &&
            \builtin printf '\\builtin cd -- %q\n__train_last=%q __train_tainted=%q\n' \
                "$PWD" "$__train_last" "$__train_tainted$__train_open" &&
            __train_note_gone && __train_note_variables && __train_note_folders && __train_note_limits &&
            \builtin printf '\\builtin shopt -s extglob\n' && __train_note_functions &&
            { \set +o && \builtin printf '\\set -o %s\n' "$__train_edit" && { \shopt -p || \command :; }; } &&
            __train_note_aliases && __train_note_traps && __train_note_positional "$@" && \builtin printf '__train_unread=\n'
    } >"$__train_dir/snapshot.new" && __train_call mv -f -- "$__train_dir/snapshot.new" "$__train_dir/snapshot" &&
        # A trap may change the state at any time.
        [ -z "$__train_traps" ] && __train_noted=" $__train_last"
    case $__train_line in
    note\ *) \command : >"$__train_dir/noted.${__train_line#* }" && __train_line= ;;
    idle) __train_line= ;;
    esac
}

__train_listed() { # LIST WORD: succeeds if LIST contains WORD; unlike `case`, this does not depend on
    # `nocasematch`. `%%` is used, because `#*` would be 14 times slower: it would compare the rest of the list at
    # each place.
    [ "${1%%" $2 "*}" != "$1" ]
}

__train_descriptors() { # adds the descriptors that steps have opened with `exec` to __train_open.
    # Descriptors above 9 are left out, because they may be bash's own.
    for __train_more in 3 4 5 6 7 8; do
        [ ! -e "/dev/fd/$__train_more" ] || __train_open="$__train_open fd:$__train_more"
    done
    [ -t 1 ] || __train_open="$__train_open fd:1"
}

__train_note_gone() { # writes commands that remove what the login files have made (see __train_born) and a step has
    # removed since
    # A file is read whole, because bash makes two system calls for each line that it reads.
    \builtin local IFS=$'\n' __train_glob=$-
    \set -f
    IFS= \builtin read -r -d '' __train_rest <"$__train_dir/born.variables"
    for __train_more in $__train_rest; do
        # The first test is quick, but fails for some variables that exist, such as an array without an element 0.
        [ -z "${!__train_more+x}" ] || continue
        ! \builtin declare -p -- "$__train_more" >/dev/null 2>&1 || continue
        if __train_listed "$__train_own" "$__train_more"; then continue; fi
        \builtin printf '\\builtin unset -v -- %q\n' "$__train_more" || return
    done
    IFS= \builtin read -r -d '' __train_rest <"$__train_dir/born.functions"
    for __train_more in $__train_rest; do
        \builtin declare -F -- "$__train_more" >/dev/null || \builtin printf '\\builtin unset -f -- %q\n' "$__train_more" ||
            return
    done
    IFS= \builtin read -r -d '' __train_rest <"$__train_dir/born.aliases"
    for __train_more in $__train_rest; do
        \builtin alias -- "$__train_more" >/dev/null 2>&1 || \builtin printf '\\builtin unalias -- %q\n' "$__train_more" ||
            return
    done
    case $__train_glob in *f*) ;; *) \set +f ;; esac
}

__train_kept() { # NAME: succeeds if a snapshot may contain the variable NAME
    case $1 in __train_*) return 1 ;; esac
    ! __train_listed "$__train_own$__train_tainted " "$1"
}

__train_note_variables() { # writes commands that set all variables and arrays, whether they are exported or not
    { \builtin compgen -v && __train_valueless; } >"$__train_dir/names" || return
    while IFS= \builtin read -r __train_more; do
        __train_kept "$__train_more" || continue
        # Leave out the variables that shell.rc sets because nobody looks at the terminal of a job's session.
        case $__train_more=${!__train_more-} in
        PAGER=cat | GIT_PAGER=cat | SYSTEMD_PAGER=cat | DEBIAN_FRONTEND=noninteractive)
            if __train_listed " ${__train_given[*]} " "$__train_more"; then continue; fi
            ;;
        esac
        # For a nameref, `unset -v` would remove the variable to which it refers.
        if [ -R "$__train_more" ]; then __train_rest=-n; else __train_rest=-v; fi
        # `declare` is printed without `\builtin`, because bash parses the values of an array only after the plain word.
        \builtin printf '\\builtin unset %s %s; ' "$__train_rest" "$__train_more" && \builtin declare -p -- "$__train_more" || return
    done <"$__train_dir/names"
    # The first element of PROMPT_COMMAND is the driver's own; __train_theirs has the user's value of this element.
    [ "${#PROMPT_COMMAND[@]}" -le 1 ] || \builtin declare -p PROMPT_COMMAND || return
    \builtin printf '\\builtin printf -v PROMPT_COMMAND %%s %q\n' "$__train_theirs"
}

__train_valueless() { # prints the names of the variables that are declared but have no value yet
    \builtin local IFS=$'\n' __train_glob=$-
    \set -f
    for __train_more in $(\builtin declare -p); do
        case $__train_more in *=*) continue ;; "declare -"*) __train_more=${__train_more##* } ;; *) continue ;; esac
        # Such a line may also be a part of a value.
        ! \builtin declare -p -- "$__train_more" >/dev/null 2>&1 || \builtin printf '%s\n' "$__train_more"
    done
    case $__train_glob in *f*) ;; *) \set +f ;; esac
}

__train_note_folders() { # writes commands that restore the directory stack of pushd
    \builtin printf '\\builtin dirs -c\n'
    __train_count=${#DIRSTACK[@]}
    while [ "$__train_count" -gt 1 ]; do
        __train_count=$((__train_count - 1))
        \builtin printf '\\builtin pushd -n %q >/dev/null\n' "${DIRSTACK[__train_count]}" || return
    done
}

__train_note_limits() { # writes commands that set the umask, and those limits that were changed after the login
    # files ran
    \builtin printf '\\builtin ' && \builtin umask -p || return
    \builtin ulimit -S -a >"$__train_dir/limits" || return
    while IFS= \builtin read -r __train_more <&3 && IFS= \builtin read -r __train_rest <&4; do
        [ "$__train_more" != "$__train_rest" ] || continue
        __train_rest=${__train_more%)*}
        \builtin printf '\\builtin ulimit -S -%s %s\n' "${__train_rest##*-}" "${__train_more##*) }" || return
    done 3<"$__train_dir/limits" 4<"$__train_dir/born.limits"
}

__train_note_functions() { # writes each function. If the function is exported or read-only, also writes the command
    # that makes it so.
    \builtin declare -F >"$__train_dir/names"
    while IFS= \builtin read -r __train_more; do
        __train_rest=${__train_more##* }
        case $__train_rest in __train_*) continue ;; esac
        if __train_listed "$__train_tainted " "$__train_rest()"; then continue; fi
        \builtin declare -f -- "$__train_rest" || return
        case $__train_more in
        "declare -f "*) ;;
        *) \builtin printf '\\builtin %s\n' "$__train_more" || return ;;
        esac
    done <"$__train_dir/names"
}

__train_note_aliases() { # writes commands that define the aliases
    \builtin compgen -a >"$__train_dir/names"
    while IFS= \builtin read -r __train_more; do
        if __train_listed "$__train_tainted " "alias:$__train_more"; then continue; fi
        \builtin printf '\\builtin ' && \builtin alias -- "$__train_more" || return
    done <"$__train_dir/names"
}

__train_note_traps() { # writes a command that adds the traps to __train_options. The next step runs
    # __train_options, and so sets the traps. The driver itself must not have them.
    __train_rest=$__train_traps
    if __train_listed "$__train_tainted " traps; then __train_rest=; fi
    \builtin printf '__train_options=%q\n' "$__train_options${__train_rest:+; $__train_rest}"
}

__train_note_positional() { # POSITIONAL...: writes a command that sets the positional parameters
    if __train_listed "$__train_tainted " positional; then return 0; fi
    \builtin printf '\\set --'
    for __train_more; do \builtin printf ' %q' "$__train_more"; done
    \builtin printf '\n'
}

__train_leave_out() { # WORD: adds WORD to the list of names that no snapshot may contain
    __train_listed "$__train_tainted " "$1" || __train_tainted="$__train_tainted $1"
}

__train_taint() { # NAME POSITIONAL...: unsets the secret NAME, and leaves out of snapshots everything else that
    # contains the secret's value
    \set -- "${!1-}" "$@"
    [ -n "$1" ] || return 0
    \builtin unset -v "$2"
    case $1 in
    *[!A-Za-z0-9_.,:/+=@%-]*) ;;
    # bash does not quote such a value, so one search in all definitions finds it. The variable `_` is NAME now, not
    # the value.
    *) case $(\builtin declare -p; \builtin declare -f; \builtin alias -p; \builtin printf '%s\n' "$__train_traps" "${@:3}") in
        *"$1"*) ;;
        *) return 0 ;;
    esac ;;
    esac
    __train_taint_each "$@"
}

__train_taint_each() { # VALUE NAME POSITIONAL...: leaves out of snapshots each variable, function, alias, trap and
    # positional parameter that contains VALUE
    \builtin compgen -v >"$__train_dir/names"
    while IFS= \builtin read -r __train_more; do
        __train_kept "$__train_more" || continue
        __train_rest="${__train_more}[*]"
        # The values of the variable are searched. If the variable is an array, its keys are searched too.
        \builtin eval "__train_value=\${!${__train_more}[*]}"
        case "${!__train_rest-} $__train_value" in *"$1"*) __train_leave_out "$__train_more" ;; esac
    done <"$__train_dir/names"
    \builtin compgen -A function >"$__train_dir/names"
    while IFS= \builtin read -r __train_more; do
        case $(\builtin declare -f -- "$__train_more") in *"$1"*) __train_leave_out "$__train_more()" ;; esac
    done <"$__train_dir/names"
    \builtin compgen -a >"$__train_dir/names"
    while IFS= \builtin read -r __train_more; do
        case $(\builtin alias -- "$__train_more") in *"$1"*) __train_leave_out "alias:$__train_more" ;; esac
    done <"$__train_dir/names"
    case $__train_traps in *"$1"*) __train_leave_out traps ;; esac
    \set -- "$1" "${@:3}"
    while [ "$#" -gt 1 ]; do
        case $2 in *"$1"*) __train_leave_out positional ;; esac
        \set -- "$1" "${@:3}"
    done
    __train_rest='' __train_value=''
}

__train_note_derived() { # leaves out each variable whose value contains, or is part of, the value of a variable
    # that is left out
    __train_rest=$__train_tainted
    while [ -n "$__train_rest" ]; do
        __train_rest=${__train_rest# }
        \set -- "${__train_rest%% *}"
        __train_rest=${__train_rest#"$1"}
        case $1 in *[!A-Za-z0-9_]*) continue ;; esac
        \builtin compgen -v >"$__train_dir/names"
        \set -- "$1[*]"
        \set -- "${!1-}"
        case $1 in ????*) ;; *) continue ;; esac
        while IFS= \builtin read -r __train_more; do
            __train_kept "$__train_more" || continue
            \set -- "$1" "${__train_more}[*]"
            case ${!2-} in
            *"$1"*) __train_leave_out "$__train_more" ;;
            ????????*) case $1 in *"${!2}"*) __train_leave_out "$__train_more" ;; esac ;;
            esac
        done <"$__train_dir/names"
    done
}
