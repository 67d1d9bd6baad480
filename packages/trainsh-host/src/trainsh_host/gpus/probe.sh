# shellcheck shell=sh
# The body of a request on a host: prints, with `say`, the output of nvidia-smi and the owners of GPU processes.
#   none WORDS            there is no GPU; WORDS is the reason
#   columns NAME,...      what the fields of each `gpu` line are
#   gpu FIELD, ...        a GPU; if nvidia-smi failed (`status` is not 0), a sentence that it printed
#   status N              the exit status of nvidia-smi
#   device LINE           a line of `nvidia-smi -L`, if a GPU is divided (MIG)
#   app FIELD, ...        a process on a GPU: uuid, pid, memory, name
#   process PID FIELDS    what this host knows about the process, separated by tabs: user, tmux server, session, comm,
#                         program, argv
(
export LC_ALL=C
PATH=${PATH-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/nvidia/bin:/opt/bin:/usr/lib/wsl/lib
tab=$(printf '\t')

lines() { # WORD TEXT: replies each line of TEXT that is not empty, with WORD before it
    printf '%s\n' "$2" | cut -c 1-1000 | while IFS= read -r line; do
        [ -z "$line" ] || say "$1" "$line"
    done
}

query() { # COLUMN,...: asks nvidia-smi for these columns; sets $text to its output and $status to its exit status
    text=$(nvidia-smi "--query-gpu=$1" --format=csv,noheader,nounits 2>&1)
    status=$?
}

sessions() { # sets $table to the sessions of train on this host, with a line `TOKEN SERVER NAME` for each
    table=
    for base in "${XDG_STATE_HOME:-${HOME-}/.local/state}/tmux-trainsh" "/tmp/train-$(id -u)-state"; do
        for file in "$base"/sessions/*/*/session "$base"/on/*/sessions/*/*/session; do
            [ -r "$file" ] && IFS= read -r token <"$file" || continue
            folder=${file%/session}
            server=${folder%/*}
            table="$table$token ${server##*/} ${folder##*/}
"
        done
    done
}

session_of() { # PID: sets $server and $session from the variable TRAINSH_SESSION of the process PID or of one of
    # its ancestors
    server='' session='' up=$1 depth=0
    while [ "$up" -gt 1 ] && [ "$depth" -lt 40 ]; do
        token=$(tr '\000' '\n' <"/proc/$up/environ" | sed -n 's/^TRAINSH_SESSION=//p' | sed -n 1p)
        if [ -n "$token" ]; then
            while read -r known place name; do
                if [ "$known" = "$token" ]; then server=$place session=$name && return; fi
            done <<EOF
$table
EOF
            server='?' session='?'
            return
        fi
        IFS= read -r stat <"/proc/$up/stat" || return
        up=${stat##*) }
        up=${up#* }
        up=${up%% *}
        depth=$((depth + 1))
    done
}

user_of() { # PID: sets $user to the name of the user who runs the process PID
    uid=$(sed -n 's/^Uid:[[:blank:]]*\([0-9]*\).*/\1/p' "/proc/$1/status")
    user=$(getent passwd "$uid" | cut -d: -f1)
    [ -n "$user" ] || user=$(awk -F: -v uid="$uid" '$3 == uid { print $1; exit }' /etc/passwd)
    [ -n "$user" ] || user=$uid
}

describe() { # PID: replies the `process` line of the process PID. Replies nothing if the process cannot be seen
    # from here.
    case $1 in '' | *[!0-9]*) return ;; esac
    [ -r "/proc/$1/status" ] || return
    user_of "$1"
    session_of "$1"
    IFS= read -r comm <"/proc/$1/comm"
    program=$(readlink "/proc/$1/exe")
    argv=$(tr '\000\n\t' '   ' <"/proc/$1/cmdline" | cut -c 1-500)
    say process "$1 $user$tab$server$tab$session$tab$comm$tab${program##*/}$tab$argv"
}

if ! command -v nvidia-smi >/dev/null; then
    if [ -e /dev/nvidia0 ] || [ -e /proc/driver/nvidia/version ]; then
        say none 'it has an NVIDIA driver, but no nvidia-smi'
    elif [ -e /dev/kfd ]; then
        say none 'nvidia-smi is not installed (it has AMD GPUs, of which nothing is shown)'
    else
        say none 'nvidia-smi is not installed'
    fi
    exit 0
fi
columns=index,uuid,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,power.limit
query "$columns,mig.mode.current,name"
case $text in
*'not a valid field'*) query "$columns,name" && columns=$columns,name ;; # an old driver, which does not know the
# column about MIG
*) columns=$columns,mig.mode.current,name ;;
esac
case $text in *'No devices were found'*)
    say none 'nvidia-smi finds no devices'
    exit 0
    ;;
esac
say columns "$columns"
lines gpu "$text"
say status "$status"
case $text in *', Enabled, '*) lines device "$(nvidia-smi -L 2>/dev/null)" ;; esac
apps=$(nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory,process_name --format=csv,noheader,nounits 2>/dev/null)
lines app "$apps"
[ ! -r /proc/self/stat ] || {
    sessions
    for pid in $(printf '%s\n' "$apps" | awk -F', ' '{ print $2 }' | sort -u); do
        describe "$pid"
    done
}
)
