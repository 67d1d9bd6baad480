# shellcheck shell=sh disable=SC2154,SC2086,SC2034,SC3013
# Requests about sessions. SERVER, the name of the tmux server, and NAME identify a session. $d is the session's
# folder. `say` sends a reply line to the client. A node is a machine from one start to the next (see hello.sh).

session_at() { # SERVER NAME: sets $server, $name, and $d (the session's folder)
    server=$1 name=$2 d=$r/sessions/$1/$2
}

tm() { # WORDS...: runs the tmux command WORDS on the server $server. The variable TMUX names the socket. An
    # argument does not, because a step's `pkill -f` would match it.
    TMUX=$socks/$server,0,0 "${tmux:-tmux}" "$@"
}

tm_alone() { # WORDS...: as tm, for a subshell that ends with this command: tmux replaces the subshell
    TMUX=$socks/$server,0,0
    export TMUX
    exec "${tmux:-tmux}" "$@"
}

session_state() { # sets $state to the recorded state; sets $alive to 1 if the session's pane runs on this node,
    # else to ''
    state=none alive=
    [ ! -r "$d/state" ] || IFS= read -r state <"$d/state"
    if [ -r "$d/pid" ] && IFS=' ' read -r pane began owner <"$d/pid" && [ "$owner" = "$node" ] && lives "$pane" "$began"; then
        alive=1
    fi
}

session_end() { # sets $end to the offset of the log's end
    end=0 b=0
    for f in "$d"/log.*; do
        [ -e "$f" ] || continue
        n=${f##*/log.}
        [ "$n" -lt "$b" ] || { b=$n && end=$((n + $(wc -c <"$f"))); }
    done
}

session_elsewhere() { # sets $other to another machine that has the same home and a session of this name; fails if
    # there is no such machine
    other=
    for f in "$base/sessions/$server/$name" "$base"/on/*/"sessions/$server/$name"; do
        [ "$f" != "$d" ] && [ -e "$f/pid" ] && IFS=' ' read -r pane began other <"$f/pid" || continue
        other=${other%%.*}
        return 0
    done
    return 1
}

session_programs() { # succeeds if this host has the programs that every session needs. Otherwise sets $missing to the
    # names of those that it lacks.
    missing=
    for x in cat cut date dd grep mkdir mkfifo mv rm sed sleep tail tr wc; do
        command -v "$x" >/dev/null || missing="$missing${missing:+ }$x"
    done
    [ -z "$missing" ]
}

session_tmux() { # sets $tmux to the program tmux, which is looked for in PATH, in the usual folders, and in the
    # PATH of a login shell. Fails if it is not found.
    [ -z "${tmux-}" ] || return 0
    if command -v tmux >/dev/null; then
        # This loop finds the path without a subshell.
        set -f
        IFS=:
        for x in $PATH; do
            [ -z "$tmux" ] && [ -f "${x:-.}/tmux" ] && [ -x "${x:-.}/tmux" ] && tmux=${x:-.}/tmux
        done
        unset IFS
        set +f
        [ -z "$tmux" ] || return 0
    fi
    for tmux in "${HOME-}"/bin/tmux "${HOME-}"/.local/bin/tmux /usr/local/bin/tmux /opt/homebrew/bin/tmux \
        /opt/local/bin/tmux /home/linuxbrew/.linuxbrew/bin/tmux; do
        [ ! -x "$tmux" ] || return 0
    done
    # The login files may wait for input or never end. So they get at most 5 seconds.
    tmux=$(
        if [ "${SHELL-}" = "${SHELL%csh}" ]; then
            "${SHELL:-sh}" -lc 'command -v tmux' </dev/null 2>/dev/null &
        else
            # csh and tcsh accept no other option beside -l.
            echo 'which tmux' | "$SHELL" -l 2>/dev/null &
        fi
        shell=$!
        (sleep 5 && kill -s KILL "$shell") >/dev/null 2>&1 &
        wait "$shell"
        kill "$!"
    )
    tmux=${tmux##*
}
    [ ! -x "$tmux" ] || return 0
    tmux=
    return 1
}

session_installers() { # replies `install COMMAND` for the first package manager that this host has. COMMAND
    # installs tmux.
    for m in "apt-get install -y" "apk add" "dnf install -y" "yum install -y" "pacman -S --noconfirm" "brew install"; do
        if command -v "${m%% *}" >/dev/null; then
            say install "$m"
            return
        fi
    done
}

session_install() { # MANAGER COMMAND...: installs tmux with the words MANAGER COMMAND..., for example `apk add`.
    # Replies `ok` or the last line of the error.
    # shellcheck disable=SC2015
    if x=$({ [ "$1" != apt-get ] || apt-get update; } 2>&1 && "$@" tmux 2>&1); then say ok; else say "${x##*
}"; fi
}

session_lose() { # called if the session's shell is gone: records the status `lost` for each step that has no
    # status. A background step may still run without the shell, but not after a reboot.
    p='' s='' n=
    [ ! -r "$d/pid" ] || IFS=' ' read -r p s n <"$d/pid"
    for f in "$d"/steps/*.claim; do
        f=${f%.claim}
        [ -e "$f.claim" ] && [ ! -e "$f.status" ] || continue
        if [ "$n" = "$node" ] && [ -r "$f.pid" ] && IFS=' ' read -r p s <"$f.pid" && lives "$p" "$s"; then continue; fi
        printf 'lost\n' >"$f.status"
        # In a session without a job, later waits ignore the lost step, because it has a file `.told`.
        [ "$server" != train ] || : >"$f.told"
    done
}

session_environment() { # NAME...: unsets the variables that a session must not inherit: NAME..., and the variables
    # of secrets, of tmux and of virtual environments
    case ${VIRTUAL_ENV-} in
    ?*)
        x=:$PATH:
        while :; do
            case $x in *":$VIRTUAL_ENV/bin:"*) x=${x%%":$VIRTUAL_ENV/bin:"*}:${x#*":$VIRTUAL_ENV/bin:"} ;; *) break ;; esac
        done
        x=${x#:}
        PATH=${x%:}
        ;;
    esac
    without=" $* " exported=$(export -p)
    # Shells print `export NAME='VALUE'` or `declare -x NAME="VALUE"`.
    case $exported in *'export PATH='* | *'declare -x PATH='* | *'typeset -x PATH='*) ;; *) exported=$(env) ;; esac
    set -f
    IFS='
'
    for x in $exported; do
        case $x in
        'export '*) x=${x#export } ;;
        'declare -x '* | 'typeset -x '*) x=${x#*-x } ;;
        esac
        x=${x%%=*}
        case $x in
        '' | [0-9]* | *[!A-Za-z0-9_]*) continue ;; # this is a part of a value
        TMUX | TMUX_PANE | VIRTUAL_ENV | VIRTUAL_ENV_PROMPT | CONDA_DEFAULT_ENV | CONDA_PREFIX*) ;;
        CONDA_PROMPT_MODIFIER | CONDA_SHLVL | PYTHONHOME | OLDPWD) ;;
        *TOKEN* | *SECRET* | *PASSWORD* | *PASSWD* | *PASSPHRASE* | *CREDENTIAL* | *API_KEY* | *APIKEY*) ;;
        *ACCESS_KEY* | *APPLICATION_KEY* | *PRIVATE_KEY* | *_KEY_ID) ;;
        *) case $without in *" $x "*) ;; *) continue ;; esac ;;
        esac
        unset "$x"
    done
    unset IFS exported
    set +f
}

session_pane() { # WORDS...: runs the tmux command WORDS, which creates a pane, and starts the pane's logger. Then
    # runs the tmux command $more. No command line may contain the folder's path or the session's name. Otherwise
    # `pkill -f` in a step would match it.
    TS_DIR=$d TS_SESSIONS=${d%/*} TS_LIB=$lib TS_TMUX=${tmux:-tmux}
    export TS_DIR TS_SESSIONS TS_LIB TS_TMUX TS_MASK
    session_logger
    # shellcheck disable=SC2016
    tm "$@" sh -c 'IFS= read -r l <"$TS_DIR/lib"; . "$l/pane.sh"' \; \
        pipe-pane -t "$target" "$logger" $more
}

session_log_again() { # SERVER NAME HIDDEN: starts the logger of the session's pane again if it has ended (see
    # session_open for HIDDEN). Replies `restarted`, `runs` if it has not ended, or `none` if there is no pane.
    session_at "$1" "$2"
    hidden=$3
    session_tmux
    t='' x=
    [ ! -r "$d/pane" ] || IFS= read -r t <"$d/pane"
    [ -z "$t" ] || x=$(tm display-message -p -t "$t" '#{pane_pipe}')
    case $x in
    0)
        session_logger
        tm pipe-pane -t "$t" "$logger" && say restarted
        ;;
    1) say runs ;;
    *) say none ;;
    esac
}

session_logger() { # sets $logger to the command of the logger of the session $hidden
    logger="d=\$TS_SESSIONS/$hidden; IFS= read -r l <\"\$d/lib\"; . \"\$l/logger.sh\""
}

session_start() { # NAME...: starts the session's pane, and before that the tmux server if it does not run. Prints
    # the error of tmux. The session does not inherit the variables NAME... This function changes the environment and
    # the current folder, so it must run in a subshell.
    [ -d "$socks" ] || mkdir -p "$socks"
    session_environment "$@"
    more=
    if [ -S "$socks/$server" ] && tm list-sessions >/dev/null 2>&1; then
        target="=$name:"
        { [ -z "$place" ] || cd -- "$place"; } && session_pane new-session -d -s "$name" -x 200 -y 50
        return
    fi
    # The server keeps the command line of this first tmux, so the session gets its name on tmux's input.
    more='; source-file -'
    first="_$$"
    target="=$first:"
    [ ! -S "${SSH_AUTH_SOCK-}" ] || [ ! -S "$r/agent" ] || SSH_AUTH_SOCK=$r/agent
    [ -z "$place" ] || cd -- "$place" || cd /
    session_pane -f /dev/null start-server \; set-option -g history-limit 50000 \; \
        set-option -g default-terminal screen-256color \; set-option -g update-environment TS_DIR \; \
        new-session -d -s "$first" -x 200 -y 50 <<EOF && return
source-file "\$TS_LIB/tmux.conf"
rename-session -t "=$first" "$name"
EOF
    session_named
}

session_named() { # gives a new session its name and settings in a tmux that cannot read commands from its input
    tm has-session -t "=$first" 2>/dev/null || { tm has-session -t "=$name" 2>/dev/null && return; }
    tm source-file "$lib/tmux.conf" \; rename-session -t "=$first" "$name" >/dev/null 2>&1 && return
    # This tmux is too old for the hooks in tmux.conf. These two files make the driver look for typed input before
    # every step.
    : >"$d/typed"
    : >"$d/attached"
    tm rename-session -t "=$first" "$name"
}

session_open() { # SERVER NAME HIDDEN TOKEN KEY LOG-LIMIT PLACE plain|login restore|fresh driven|hand [VARIABLE...]
    # Opens the session if it is not open.
    # Parameters: HIDDEN is the name with empty quotes between its letters, so that `pkill -f NAME` does not match
    # it. TOKEN is new each time, and identifies the shell. KEY is the key in the sentinels. LOG-LIMIT is how many
    # bytes of the log are kept. PLACE is the folder in which the shell starts. `plain`: the login files are not
    # read. `restore`: a new shell gets the state of the previous one. `driven`: the session is for a job. The
    # session does not inherit the VARIABLEs.
    # The first line of the reply is one of these: `open OFFSET STATE FOLDER` if the session was open already,
    # `fresh OFFSET FOLDER` if it was opened now, or the reason why it could not be opened: `lib`, `no-tmux`,
    # `no-processes`, `no-programs NAMES`, `full` or `failed WORDS`. `session TOKEN` follows `open` and `fresh`. After
    # `fresh` there may be `elsewhere NODE`. With `restore`, the lines `restored yes|no`, `covers STEP` and `left-out
    # NAMES` follow.
    session_at "$1" "$2"
    hidden=$3 token=$4 key=$5 limit=$6 place=$7 login=$8
    shift 8
    restore=$1 driven=$2
    shift 2
    session_state
    if [ ! -e "$lib/whole" ]; then
        say lib
    elif [ ! -r /proc/self/stat ] && ! command -v ps >/dev/null; then
        say no-processes
    elif ! session_programs; then
        say no-programs "$missing"
    elif ! session_tmux; then
        say no-tmux
        session_installers
    elif [ "$alive" ] && tm has-session -t "=$name"; then
        session_end
        say open "$end" "${state%% *}" "$d"
        IFS= read -r token <"$d/session" && say session "$token"
    else
        session_fresh "$@"
    fi
}

session_fresh() { # VARIABLE...: opens a session that is not open; the parameters and the replies are those of
    # session_open
    if [ -d "$d/steps" ]; then
        session_lose
        rm -f -- "$d/fifo" "$d/again" "$d/current" "$d/attached" "$d/typed" "$d/pid" "$d/shell" "$d/state" "$d/pane" \
            "$d/skipped" "$d/open" "$d/restore" "$d/plain" "$d/driven"
        [ "$restore" = restore ] || rm -f -- "$d/snapshot"
    else
        mkdir -p "$d/steps"
    fi
    [ -s "$d/key" ] || printf '%s\n' "$key" >"$d/key"
    if ! { printf '%s\n' "$token" >"$d/session" && printf '%s\n' "$lib" >"$d/lib" && printf '%s\n' "$place" >"$d/start" &&
        printf '%s\n' "$limit" >"$d/limit" && printf '%s\n' "$node" >"$d/node" && [ -s "$d/key" ] &&
        mkfifo "$d/fifo" "$d/again"; }; then
        say full
        return
    fi
    [ "$login" = login ] || : >"$d/plain"
    [ "$driven" = hand ] || : >"$d/driven"
    [ "$restore" != restore ] || snapshot_choose
    session_end
    if e=$(session_start "$@" 2>&1); then
        [ "$end" -gt 0 ] || : >>"$d/log.0"
        say fresh "$end" "$d"
        say session "$token"
        if session_elsewhere; then say elsewhere "$other"; fi
        [ "$restore" != restore ] || snapshot_say
        if [ ! -e "$r/swept" ] || [ "$d/session" -nt "$r/swept" ]; then (session_forget) >/dev/null 2>&1 & fi
    else
        say failed "$e"
    fi
}

snapshot_read() { # reads the first lines of the session's snapshot. Sets $covers to the last step before the
    # snapshot, and $lacks to the names of what the snapshot leaves out. Fails if no shell can use the snapshot.
    covers='' lacks=''
    [ -s "$d/snapshot" ] && { IFS= read -r covers && IFS= read -r lacks && IFS= read -r folder; } <"$d/snapshot" || return
    case $covers in '# after '*) ;; *) return 1 ;; esac
    covers=${covers#'# after '} lacks=${lacks#'# left-out'}
    # Run the third line, which changes to the shell's directory, to check that the directory exists. Also check
    # that the bash of this host can parse the whole snapshot.
    printf '%s\n' "$folder" | BASH_ENV='' bash && BASH_ENV='' bash -O extglob -n <"$d/snapshot"
} >/dev/null 2>&1

snapshot_choose() { # has the new shell restore the snapshot if a shell can use it; otherwise removes the snapshot
    if snapshot_read; then : >"$d/restore"; else rm -f -- "$d/snapshot"; fi
}

snapshot_say() { # replies whether the new shell restores the snapshot. If so, also replies what is in the snapshot.
    if [ -e "$d/restore" ]; then
        say restored yes
        say covers "$covers"
        [ -z "$lacks" ] || say "left-out$lacks"
    else
        say restored no
    fi
}

session_old() { # DAYS-CLOSED DAYS-ENDED: removes the folders of closed sessions that were not used for DAYS-CLOSED
    # days. Also removes the folders of other ended sessions that were not used for DAYS-ENDED days. Replies
    # `removed PATH` for each folder. Sets $living if a session is open.
    living=
    for d in "$r"/sessions/*/*; do
        [ -d "$d/steps" ] || continue
        session_state
        [ -z "$alive" ] || { living=1 && continue; }
        days=$2
        [ "$state" != closed ] || days=$1
        [ "$days" = 0 ] || [ -z "$(find "$d" -mtime "-$days" | head -n 1)" ] || continue
        rm -rf -- "$d"
        say removed "$d"
    done
    rmdir "$r"/sessions/*
}

session_forget() { # removes old sessions; does this at most once a day. The file `swept` tells by its modification
    # time when the next removal is due.
    # In a time zone 24 hours to the east, it is this time tomorrow.
    TZ=UTC0 touch -t "$(TZ=UTC-24 date +%Y%m%d%H%M)" "$r/swept" || : >"$r/swept"
    say() { :; }
    session_old 7 30
    session_sockets
}

session_sockets() { # removes the sockets of those tmux servers of train that have ended
    for f in "$socks"/train "$socks"/train-*; do
        server=${f##*/}
        [ ! -S "$f" ] || tm list-sessions >/dev/null 2>&1 || rm -f -- "$f"
    done
}

session_clean() { # DAYS: removes the folders of ended sessions that were not used for DAYS days. Also removes files
    # that no session needs any more. Replies `removed PATH` for each session.
    session_tmux
    session_old "$1" "$1"
    find "$r/waits" -mindepth 1 -maxdepth 1 -mtime +1 | while IFS= read -r d; do rm -rf -- "$d"; done
    session_sockets
    if [ -z "$living" ]; then for f in "$base"/lib/*; do [ "$f" = "$lib" ] || rm -rf -- "$f"; done; fi
}

session_close() { # SERVER NAME GRACE snapshot|-: closes the session. With `snapshot`, the session's shell first
    # writes a snapshot. Replies `survived PID COMMAND` for each process that did not end, and then `closed`.
    # Replies `none` if the session was not open.
    session_at "$1" "$2"
    session_state
    session_tmux
    note=
    if [ "$alive" ]; then
        # With the line `closing` the shell stops to write snapshots when it is idle.
        if [ "$4" = snapshot ]; then session_note; elif [ -e "$d/open" ]; then printf '\nclosing\n' 1<>"$d/fifo"; fi
        end_session "$3"
        session_noted
    fi
    # When the file `pid` is gone, the pane's first process no longer writes to this folder.
    rm -f -- "$d/pid" "$d/open" "$d"/steps/*.env "$d/noted.$note"
    # The logger reads this state as soon as tmux has closed the pane.
    [ -z "$alive" ] || printf 'closed\n' >"$d/state"
    [ ! -S "$socks/$server" ] || {
        if x=$(tm_alone kill-session -t "=$name" \; list-sessions); then alive=1; else x=$(tm_alone list-sessions); fi
        # A tmux server that is about to end still answers, but has no session. It does not remove its socket.
        [ -n "$x" ] || rm -f -- "$socks/$server"
    }
    if [ "$alive" ]; then
        # The state is not written again without need, because the logger may read it now, and find it empty.
        [ ! -r "$d/state" ] || IFS= read -r state <"$d/state"
        [ "$state" = closed ] || printf 'closed\n' >"$d/state"
        say closed
    else
        say none
    fi
}

session_close_later() { # SERVER NAME GRACE snapshot|-: closes the session as session_close does, but in the background
    # Replies `closing`, or `none` if the session was not open. The connection may end meanwhile.
    session_at "$1" "$2"
    session_state
    if [ "$alive" ]; then
        (trap '' HUP PIPE && session_close "$@") </dev/null >/dev/null 2>&1 &
        say closing
    else
        session_close "$@"
    fi
}

session_note() { # asks the shell for a snapshot if the shell waits for steps, and sets $note to the name of this
    # request
    x=
    [ ! -r "$d/current" ] || IFS=' ' read -r x <"$d/current"
    [ -e "$d/open" ] && { [ -z "$x" ] || [ -e "$d/steps/$x.status" ] || [ -e "$d/steps/$x.pid" ]; } || return 0
    noting=$((${noting-0} + 1))
    note=$$.$noting
    printf '\nnote %s\n' "$note" 1<>"$d/fifo"
}

session_noted() { # waits at most 0.6 s for the snapshot that session_note requested
    x=0
    while [ "$note" ] && [ "$x" -lt 60 ] && [ ! -e "$d/noted.$note" ]; do
        sleep 0.01 || { sleep 1 && x=60; }
        x=$((x + 1))
    done
}

session_kill() { # SERVER GRACE: ends every session of a job. Replies `survived PID COMMAND` for each process that
    # did not end, and then `killed`.
    server=$1
    session_tmux
    for d in "$r/sessions/$server"/*; do
        [ -e "$d/pid" ] || continue
        session_state
        [ -z "$alive" ] || end_session "$2"
        rm -f -- "$d/pid" "$d/open" "$d"/steps/*.env
        printf 'closed\n' >"$d/state"
    done
    if tm kill-server; then
        say killed
        rm -f -- "$socks/$server"
    fi
}

session_release() { # SERVER NAME: asks the session's shell to become an ordinary shell. Replies `asked` if the
    # shell will do so after its step, `released` if it is an ordinary shell already, or `none` if the session is
    # not open.
    session_at "$1" "$2"
    session_state
    case $alive$state in
    1open) printf '\nrelease\n' 1<>"$d/fifo" && say asked ;;
    1released*) say released ;;
    *) say none ;;
    esac
}

session_take_back() { # SERVER NAME: types the command that runs the driver into the pane of a released session.
    # Replies `typed`, or `busy` if another program is in the foreground of the pane.
    session_at "$1" "$2"
    session_tmux
    IFS=' ' read -r p s <"$d/shell" && IFS= read -r t <"$d/pane"
    foreground "$p"
    if [ "$front" = "$p" ] && lives "$p" "$s" && ! session_replaced "$p"; then
        tm send-keys -t "$t" -X cancel
        tm send-keys -t "$t" C-c
        # shellcheck disable=SC2016
        tm send-keys -t "$t" -l ' \exec 0<>"$__train_dir/again"; \set +o emacs +o vi; \. "$__train_driver"'
        tm send-keys -t "$t" Enter
        say typed
    else
        say busy
    fi
}

session_replaced() { # PID: succeeds if another program has replaced the shell with this pid (`exec zsh`)
    if [ -r "/proc/$1/cmdline" ]; then
        ! grep -q -F -e shell.rc "/proc/$1/cmdline"
    else
        case $(ps -o args= -p "$1") in *shell.rc*) return 1 ;; esac
    fi
} 2>/dev/null

session_window() { # SERVER NAME HIDDEN LOG-LIMIT TOKEN: opens another window in a released session; the parameters
    # and the replies are those of session_open
    session_at "$1" "$2"
    hidden=$3
    session_tmux
    IFS=' ' read -r p s <"$d/shell" && IFS= read -r t <"$d/pane"
    c=$(readlink "/proc/$p/cwd" || tm display-message -p -t "$t" '#{pane_current_path}')
    tm pipe-pane -t "$t"
    rm -f -- "$d/fifo" "$d/again" "$d/current" "$d/pid" "$d/shell" "$d/state" "$d/open" "$d/restore" "$d/skipped"
    snapshot_choose
    session_end
    if printf '%s\n' "$5" >"$d/session" && printf '%s\n' "$lib" >"$d/lib" && printf '%s\n' "$c" >"$d/start" && printf '%s\n' "$4" >"$d/limit" &&
        mkfifo "$d/fifo" "$d/again"; then
        target="=$name:" more=
        if e=$(session_pane new-window -t "=$name:" 2>&1); then
            say fresh "$end" "$d"
            say session "$5"
            snapshot_say
        else
            say failed "$e"
        fi
    else
        say full
    fi
}

session_show() { # SERVER NAME LINES: replies `line TEXT` for each line of the session's pane, and for LINES lines
    # above the pane. Replies `none` if there is no pane.
    session_at "$1" "$2"
    session_tmux
    t=
    [ ! -r "$d/pane" ] || IFS= read -r t <"$d/pane"
    [ "$3" = 0 ] && history= || history="-S -$3"
    if [ -n "$t" ] && x=$(tm capture-pane -p $history -t "$t" && echo .); then
        printf '%s\n' "${x%.}" | while IFS= read -r y; do say "line $y"; done
    else
        say none
    fi
}

session_enter() { # SERVER NAME: presses Enter in a session that is being opened, because its login files may be
    # waiting for input
    session_at "$1" "$2"
    session_tmux
    tm send-keys -t "=$name:" Enter
}

session_type() { # SERVER NAME text|keys enter|- WORD...: types WORD... into the session's pane. With `text`, the
    # words are text; with `keys`, they are names of keys. With `enter`, presses Enter after them. Replies `sent`,
    # or `none` if this fails.
    session_at "$1" "$2"
    session_tmux
    kind=$3 enter=$4
    shift 4
    t=
    [ ! -r "$d/pane" ] || IFS= read -r t <"$d/pane"
    if [ -z "$t" ]; then
        say none
        return
    fi
    [ "$kind" = keys ] || set -- -l -- "$@"
    if tm send-keys -t "$t" "$@" && { [ "$enter" != enter ] || tm send-keys -t "$t" Enter; }; then say sent; else say none; fi
}

session_running() { # SERVER NAME: replies `runs PID COMMAND` for each process that the session's shell has started
    session_at "$1" "$2"
    IFS=' ' read -r p s <"$d/shell" || return 0
    processes
    descendants "$p"
    for x in $found; do
        y=$(words_of "${x%:*}")
        case $y in '' | *shell.rc*) ;; *) say runs "${x%:*}" "$y" ;; esac
    done
}

session_remove() { # SERVER NAME: removes the session's files
    session_at "$1" "$2"
    rm -rf -- "$d"
    rmdir "${d%/*}"
    say removed
}

session_log_end() { # SERVER NAME: replies `end OFFSET ALIVE STATE`. If there is no such session, replies `elsewhere
    # NODE` if the machine NODE with the same home has one, else `none`.
    session_at "$1" "$2"
    session_state
    session_end
    if [ -d "$d" ]; then
        say end "$end" "${alive:-0}" "$state"
    elif session_elsewhere; then
        say elsewhere "$other"
    else
        say none
    fi
}

modified() { # FILE: prints the modification time of FILE, in seconds since 1970
    stat -c %Y "$1" 2>/dev/null || stat -f %m "$1"
}

session_list() { # replies for each session: `session SERVER NAME STATE ALIVE ATTACHED AGE SECONDS STEP`. If a step
    # runs, also replies `command TEXT`. AGE is the age of the session in seconds. SECONDS is for how many seconds
    # the step has run.
    now=$(date +%s)
    for d in "$r"/sessions/*/*; do
        [ -d "$d/steps" ] || continue
        step=- a=no age=0
        session_state
        [ ! -e "$d/attached" ] || a=yes
        if [ -e "$d/began" ]; then x=$(modified "$d/began") && age=$((now - x)); fi
        if [ "$alive" ]; then
            if [ -r "$d/current" ] && IFS=' ' read -r x <"$d/current" && [ ! -e "$d/steps/$x.status" ]; then step=$x; fi
            for x in "$d"/steps/*.pid; do
                [ ! -e "$x" ] || [ -e "${x%.pid}.status" ] || { x=${x##*/} && step=${x%.pid}; }
            done
        fi
        x=$now
        [ "$step" = - ] || x=$(modified "$d/steps/$step.claim")
        j=${d%/*}
        say session "${j##*/}" "${d##*/}" "${state%% *}" "${alive:-0}" "$a" "$age" "$((now - ${x:-now}))" "$step"
        if [ "$step" != - ]; then
            IFS= read -r x <"$d/steps/$step"
            say command "$x"
        fi
    done
}

session_holds() { # SERVER [NAME...] / [STEP...]: replies which of these sessions and steps of a job exist.
    # For each NAME it replies `session NAME TOKEN running|released|gone COVERS LEFT-OUT...`. For each STEP it
    # replies `step STEP running|ended|lost|never STATUS WHY`.
    server=$1
    shift
    while [ $# -gt 0 ] && [ "$1" != / ]; do
        session_at "$server" "$1"
        session_state
        token=- x=gone y=-
        [ ! -r "$d/session" ] || IFS= read -r token <"$d/session"
        [ -z "$alive" ] || { x=running && case $state in released*) x=released ;; esac }
        if snapshot_read; then y=${covers:--}$lacks; fi
        say session "$name" "$token" "$x" "$y"
        shift
    done
    for step in "$@"; do
        [ "$step" != / ] || continue
        s=
        for f in "$r/sessions/$server"/*/"steps/$step.claim"; do
            [ ! -e "$f" ] || s=${f%.claim}
        done
        if [ -z "$s" ]; then
            say step "$step" never
            continue
        fi
        d=${s%/steps/*}
        step_known
    done
}
