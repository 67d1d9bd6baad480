# shellcheck shell=sh disable=SC2154,SC2086,SC2034
# Ends a step or a session within a grace period. All its descendants get INT at once, TERM after half of the
# period, and KILL at the end of it. Descendants are found by their parent process. If a descendant has lost its
# parent, it is found by the variable TRAINSH_STEP or TRAINSH_SESSION in its environment. $d is the session's
# folder.

end_clock() { # sets $clock to the present time, in tenths of a second
    if [ -r /proc/uptime ]; then
        IFS=' .' read -r clock x y </proc/uptime
        clock=$((clock * 10 + ${x%?}))
    else
        clock=$(($(date +%s) * 10))
    fi
}

end_pause() { # waits 0.2 s; then sets $tenths to the tenths of a second that have passed since the time $first
    sleep 0.2 2>/dev/null || sleep 1
    end_clock
    tenths=$((clock - first))
}

end_group() { # SIGNAL GROUP: sends SIGNAL to a process group; ignores 0 (our own group) and 1 (every process)
    case $2 in '' | *[!0-9]* | 0* | 1) ;; *) kill -s "$1" -- "-$2" ;; esac
} 2>/dev/null

end_all() { # SIGNAL: sends the signal to every process of $members that is still alive
    for member in $members; do
        if lives "${member%:*}" "${member#*:}"; then kill -s "$1" "${member%:*}"; fi
    done
} 2>/dev/null

end_left() { # removes dead processes from $members
    left=
    for member in $members; do
        if lives "${member%:*}" "${member#*:}"; then left="$left $member"; fi
    done
    members=$left
}

end_since() { # FILE: sets $since to the modification time of FILE minus 1 s, in clock ticks since boot
    since=0
    [ -r /proc/uptime ] || return 0
    IFS=' .' read -r x y </proc/uptime
    since=$(((x - $(date +%s) + $(modified "$1") - 1) * $(getconf CLK_TCK || echo 100)))
} 2>/dev/null

end_gather() { # adds to $members the processes, each as PID:START, of the step or session that is to be ended
    table='' found=''
    # Making the table of all processes costs the most, so it is not made for a shell that has no children.
    # Processes of such a session that have lost their parent are still found, by the variable in their environment.
    if [ "$which" = session ] && ! has_child "$shell"; then :; else processes; fi
    case $which in
    background)
        descendants "$root"
        for x in "$root" $groups; do
            if started "$x" && lives "$x" "$start"; then found=" $x:$start$found"; fi
        done
        marked "TRAINSH_STEP=$file.pid"
        found="$found $marks"
        ;;
    foreground)
        # Leave out the processes of the session's background steps, which are not part of this step.
        others=
        for x in "$d"/steps/*.pid; do
            [ -e "$x" ] && [ ! -e "${x%.pid}.status" ] && IFS=' ' read -r x y <"$x" && others="$others $x"
        done
        descendants $others
        beside=" $found"
        for x in $others; do beside="$beside $x:"; done
        descendants "$shell"
        # Also leave out processes with TRAINSH_STEP in their environment: they belong to background steps.
        marked TRAINSH_STEP=
        steps=$marks mine=
        marked "TRAINSH_SESSION=$mark"
        for x in $found $marks; do
            case "$beside $steps $mine " in *" $x "* | *" ${x%:*}: "*) continue ;; esac
            case ${x#*:} in *[!0-9]*) ;; *) [ "${x#*:}" -ge "$since" ] || continue ;; esac
            mine="$mine $x"
        done
        found=$mine
        ;;
    *)
        [ -z "$table" ] || descendants "$shell"
        marked "TRAINSH_SESSION=$mark"
        found="$found $marks"
        ;;
    esac
    for x in $found; do
        case "$members " in *" $x "*) ;; *) members="$members $x" ;; esac
    done
}

end_survivors() { # replies `survived PID COMMAND` for each process that is still alive
    end_left
    for member in $members; do end_say survived "${member%:*}" "$(words_of "${member%:*}")"; done
}

end_say() { # WORDS...: replies WORDS. If $number is set, the reply is sent under that number, else as the reply to
    # the current request.
    if [ -n "${number-}" ]; then printf 'R %s %s\n' "$number" "$*"; else say "$@"; fi
}

end_foreground() { # sends INT to the step's foreground process group, unless that group got INT in the previous
    # call
    foreground "$shell"
    [ "$front" != "$last" ] || return 0
    last=$front
    # The shell gets INT, which makes it abort the rest of the step. It never gets TERM or KILL.
    kill -s INT "$shell"
    [ "$front" = "$shell" ] || end_group INT "$front"
} 2>/dev/null

end_wait() { # STATUS-FILE: sends the signals, and waits until all of $members have ended and STATUS-FILE exists. If
    # STATUS-FILE is '', no file is waited for. Fails if a foreground step still runs after KILL.
    tenths=0 last='' sent=INT rounds=0
    end_clock
    first=$clock
    case $which in foreground) ;; *) for x in $groups; do end_group INT "$x"; done ;; esac
    while :; do
        [ "$((rounds % 5))" != 0 ] || end_gather
        rounds=$((rounds + 1))
        end_left
        # Another request to end the same step may have shortened the grace.
        [ ! -r "${file-}.grace" ] || IFS= read -r grace <"$file.grace"
        over=
        if [ -z "$1" ] || [ -e "$1" ] || [ "$which" = background ]; then over=1; fi
        if [ "$over" ] && [ -z "$members" ]; then
            # If there was nothing to end in the first round, nothing can have been started since then.
            [ "$rounds" != 1 ] || [ "$groups" ] || return 0
            # Look again for processes that were started in the meantime.
            end_gather
            end_left
            [ -n "$members" ] || return 0
        fi
        if [ "$which" = foreground ] && [ -z "$over" ]; then end_foreground; fi
        if [ "$sent" = INT ] && { [ "$tenths" -ge "$((grace * 5))" ] || { [ "$which" = foreground ] && [ "$over" ]; }; }; then
            sent=TERM
            [ "$which" != foreground ] || [ "$over" ] || kill -s INT "$shell" 2>/dev/null
            end_all TERM
        elif [ "$sent" = TERM ] && [ "$tenths" -ge "$((grace * 10))" ]; then
            sent=KILL
            end_gather
            [ "$which" != foreground ] || [ "$over" ] || kill -s INT "$shell" 2>/dev/null
            end_all KILL
        elif [ "$sent" = KILL ]; then
            end_all KILL
            [ "$tenths" -lt "$((grace * 10 + 30))" ] || [ -z "$over" ] || return 0
            [ "$tenths" -lt "$((grace * 10 + 100))" ] || return 1
        fi
        end_pause
    done
}

end_groups() { # FILE: prints the process group of the background step whose files are named FILE.*. The group is
    # recorded in FILE.group if that file exists, else in FILE.pid.
    if [ -r "$1.group" ]; then x=$1.group; else x=$1.pid; fi
    IFS=' ' read -r x y <"$x" && printf '%s' "$x"
}

end_recorded() { # STATUS: records STATUS for the background step $file, unless the step's subshell records a status
    # itself within 0.3 s
    x=0
    while [ "$x" -lt 3 ] && [ ! -e "$file.status" ]; do
        sleep 0.1 2>/dev/null || sleep 1
        x=$((x + 1))
    done
    (set -C && printf '%s\n' "$1" >"$file.status") 2>/dev/null
}

end_number() { # prints the exit status for a process that was killed by the last signal sent: 128 plus the number
    # of the signal
    case $sent in INT) echo 130 ;; TERM) echo 143 ;; *) echo 137 ;; esac
}

end_mine() { # succeeds if this request has to end the step; fails if another request is ending the step already
    started "$$"
    if IFS=' ' read -r x y <"$file.ending" && lives "$x" "$y"; then return 1; fi
    printf '%s %s\n' "$$" "$start" >"$file.ending"
} 2>/dev/null

end_step() { # STEP NUMBER WHY GRACE: ends the step within GRACE seconds, and records WHY as the reason.
    # All replies are sent under NUMBER. The host replies `survived PID COMMAND` for each process that no signal
    # could end. Then it replies `ended`, `never` if the step had not begun, or `stuck` if the step's session had to
    # be closed.
    file=$d/steps/$1 number=$2 grace=$4
    # If no shell has claimed the step, claim it here, so that it never runs.
    if (set -C && : >"$file.claim") 2>/dev/null; then
        printf 'never\n' >"$file.why"
        printf 'none\n' >"$file.status"
        end_say never
        return
    fi
    if [ -e "$file.status" ]; then
        end_say ended
        return
    fi
    printf '%s\n' "$grace" >"$file.grace"
    [ -e "$file.why" ] || printf '%s\n' "$3" >"$file.why"
    if ! end_mine; then
        x=0
        while [ ! -e "$file.status" ] && [ "$x" -lt "$((grace * 5 + 50))" ]; do
            sleep 0.2 2>/dev/null || { sleep 1 && x=$((x + 4)); }
            x=$((x + 1))
        done
        end_say ended
        return
    fi
    members='' groups=''
    IFS=' ' read -r shell x <"$d/shell" || shell=
    if [ -r "$file.pid" ]; then
        which=background
        IFS=' ' read -r root x <"$file.pid"
        groups=$(end_groups "$file")
        end_wait ''
        end_recorded "$(end_number)"
        end_survivors
        end_say ended
        return
    fi
    which=foreground
    IFS= read -r mark <"$d/session"
    end_since "$file.claim"
    if end_wait "$file.status"; then
        end_survivors
        end_say ended
        return
    fi
    end_survivors
    printf 'stuck\n' >"$file.why"
    rm -f -- "$d/pid" "$d/open"
    for x in "$d"/steps/*.pid; do
        [ -e "$x" ] && [ ! -e "${x%.pid}.status" ] && IFS=' ' read -r y x <"$x" && end_group HUP "$y"
    done
    tm kill-session -t "=$name" 2>/dev/null
    printf 'ended by train\n' >"$d/state"
    end_say stuck
}

end_session() { # GRACE: ends, within GRACE seconds, all processes of a session that is about to be closed
    grace=$1 file='' number='' members='' groups='' which=session mark=none
    IFS=' ' read -r shell x <"$d/shell" || return 0
    [ ! -r "$d/session" ] || IFS= read -r mark <"$d/session"
    background=
    for x in "$d"/steps/*.pid; do
        [ -e "$x" ] && [ ! -e "${x%.pid}.status" ] || continue
        groups="$groups $(end_groups "${x%.pid}")"
        background="$background ${x%.pid}"
    done
    foreground "$shell"
    [ "$front" = "$shell" ] || groups="$groups $front"
    end_wait ''
    for file in $background; do end_recorded "$(end_number)"; done
    end_survivors
}
