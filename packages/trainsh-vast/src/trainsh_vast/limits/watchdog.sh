#!/bin/sh
# watchdog.sh: stops this rented machine when nobody uses it any longer, or when its time or money is used up.
# It runs on the machine itself, so that it works while the laptop is off. It never destroys: the disk stays.
#   watchdog.sh arm IDLE LEFT URL  stop after IDLE seconds without work (0: never), and in LEFT seconds (0: no limit)
#   watchdog.sh again              look again after a restart of the machine, with the limits armed before
#   watchdog.sh hear               each line on standard input says that a runner is alive
#   watchdog.sh look               look once: stop the machine if a limit is reached
#   watchdog.sh watch              look every 20 seconds, more often for a short limit
#   watchdog.sh status             what is armed
#   watchdog.sh off                disarm
# The only key that it uses is the machine's own, CONTAINER_API_KEY: it can stop this machine and nothing else.
# It is documented in docs/money.md of tmux-trainsh.
set -u
umask 077
proc=${WATCHDOG_PROC:-/proc}
home=${WATCHDOG_HOME:-${HOME:-/root}/.local/state/tmux-trainsh/watchdog}
onstart=${WATCHDOG_ONSTART:-/root/onstart.sh}
grace=90 # seconds after a limit in which a runner that is alive may still end its job by itself
mkdir -p "$home" && cd "$home" || exit 1

has() { command -v "$1" >/dev/null 2>&1; }
variable() { tr '\0' '\n' <"$proc/1/environ" 2>/dev/null | sed -n "s/^$1=//p" | head -n 1; }
say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>log; }
put() { printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"; } # FILE TEXT: writes TEXT to FILE
get() { # FILE: prints the first line of FILE, or 0 if there is no such file
  line=0
  if [ -r "$1" ]; then IFS= read -r line <"$1" || :; fi
  printf '%s\n' "${line:-0}"
}

request() { # METHOD [BODY]: sends the service a request about this machine; no argument list contains the key
  id=$(variable CONTAINER_ID) key=$(variable CONTAINER_API_KEY)
  if [ -z "$id" ] || [ -z "$key" ]; then echo "no CONTAINER_API_KEY here" && return 1; fi
  at=$(get url)/api/v0/instances/$id/
  if has curl; then
    printf 'header = "Authorization: Bearer %s"\n' "$key" |
      curl -fsS -m 30 -K - -X "$1" -H 'Content-Type: application/json' ${2:+-d "$2"} "$at" 2>&1
  elif has python3; then
    KEY=$key python3 -c '
import os, sys, urllib.request as http
method, at, body = sys.argv[1:]
head = {"Authorization": "Bearer " + os.environ["KEY"], "Content-Type": "application/json"}
print(http.urlopen(http.Request(at, body.encode() or None, head, method=method), timeout=30).read().decode())
' "$1" "$at" "${2-}" 2>&1
  elif has wget && wget --help 2>&1 | grep -q -e --body-data; then
    printf 'header = Authorization: Bearer %s\nheader = Content-Type: application/json\n' "$key" >wgetrc
    WGETRC=$PWD/wgetrc wget -q -T 30 -t 1 -O - --method "$1" ${2:+--body-data "$2"} "$at" 2>&1
  else
    echo "none of curl, python3 and wget is here" && return 1
  fi
}

# Succeeds if this machine has work, and sets $why to the reason. Three things count as work: a program on a
# terminal (the steps of recipes run on terminals too), but not a shell that waits; a file transfer in progress; a
# busy GPU.
busy() {
  moved=
  for stat in "$proc"/[0-9]*/stat; do
    { IFS= read -r line <"$stat"; } 2>/dev/null || continue
    name=${line#*\(} name=${name%)*}
    # shellcheck disable=SC2086  # the fields after the name: state, parent, group, session, terminal
    set -- ${line##*) }
    case $name in
    rsync | rclone | scp | sftp-server) moved="$moved $(cat "${stat%stat}io" 2>/dev/null | head -n 2 | tr -c '0-9' ' ')" ;;
    esac
    [ "${5:-0}" != 0 ] || continue
    case $name in
    sh | bash | dash | ash | zsh | fish | ksh | busybox) [ "$1" = R ] && why="$name" && return 0 ;;
    tmux* | screen | login | su | sudo | sshd* | ssh | agetty | getty | mosh-server) ;;
    *) why="$name" && return 0 ;;
    esac
  done
  moved=$(echo "$moved" | tr -s ' ')
  if [ "${#moved}" -gt 1 ] && [ "$moved" != "$(get moved)" ]; then
    put moved "$moved" && why="a file transfer" && return 0
  fi
  if has nvidia-smi && has timeout; then
    for used in $(timeout 10 nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null); do
      case $used in [5-9] | [1-9][0-9] | 100) why="a GPU at $used %" && return 0 ;; esac
    done
  fi
  return 1
}

end() { # REASON: asks the service to stop this machine, and writes REASON to the log
  say "stopping this machine: $1"
  said=$(request PUT '{"state":"stopped"}') || say "not stopped, trying again: $said"
}

look() {
  now=$(date +%s) idle=$(get idle) until=$(get until)
  if busy; then put used "$now" && put by "$why"; fi
  quiet=$((now - $(get used)))
  if [ "$until" -gt 0 ] && [ "$now" -ge "$until" ]; then
    if [ "$now" -lt $((until + grace)) ] && [ $((now - $(get heard))) -le "$grace" ]; then return; fi
    end "its limit is reached"
  elif [ "$idle" -gt 0 ] && [ "$quiet" -ge "$idle" ]; then
    end "nothing has used it for $quiet seconds"
  fi
}

pause() { # prints the seconds until the next look: a tenth of the time to the nearest limit, but at most 20
  near=200 idle=$(get idle) left=$(($(get until) - $(date +%s)))
  if [ "$idle" -gt 0 ] && [ "$idle" -lt "$near" ]; then near=$idle; fi
  if [ "$left" -gt 0 ] && [ "$left" -lt "$near" ]; then near=$left; fi
  echo $((near < 10 ? 1 : near / 10))
}

watch() {
  put watcher $$
  while [ "$(get watcher)" = $$ ]; do # ends when a newer watcher replaces this one
    look
    sleep "$(pause)"
  done
}

again() { # starts a watcher; called at every start of the machine, and after arming
  now=$(date +%s)
  put used "$now"
  if [ "$(get until)" -gt 0 ] && [ "$(get until)" -le "$now" ]; then
    # Somebody has started the machine after its time was over, to use it again. So from now on only the idle limit
    # counts.
    put until 0
    if [ "$(get idle)" = 0 ]; then put idle 1800; fi
  fi
  if has setsid; then set -- setsid; else set -- nohup; fi
  "$@" sh ./watchdog.sh watch </dev/null >/dev/null 2>&1 &
}

arm() { # IDLE LEFT URL: checks that the machine's key works at URL, saves the limits, and starts a watcher
  put url "${3%/}"
  for pause in 1 1 2 3 5 0; do # asks again if the service fails, or if it was asked too often
    if said=$(request GET); then
      case $said in *actual_status*) break ;; *) said="the service does not know this machine by its own key" ;; esac
    fi
    case $pause$said in 0* | *40[134]* | *no\ CONTAINER* | *none\ of*) echo "$said" | tail -n 1 >&2 && exit 1 ;; esac
    sleep "$pause"
  done
  put idle "$1" && put until "$(($2 > 0 ? $(date +%s) + $2 : 0))" && put heard 0
  if ! grep -q watchdog.sh "$onstart" 2>/dev/null; then
    [ -e "$onstart" ] || printf '#!/bin/sh\n' >"$onstart"
    printf 'sh %s/watchdog.sh again # tmux-trainsh: stops this machine when nobody uses it\n' "$home" >>"$onstart"
    chmod +x "$onstart"
  fi
  say "armed: idle $1, left $2"
  again
  echo armed
}

case ${1-} in
arm) arm "$2" "$3" "$4" ;;
again) again ;;
hear) while read -r _; do put heard "$(date +%s)" && put used "$(get heard)"; done ;;
look) look ;;
watch) watch ;;
status) for file in idle until used by heard; do printf '%s %s\n' "$file" "$(get "$file")"; done ;;
off) put watcher 0 && put idle 0 && put until 0 ;;
*) sed -n '2,13s/^# //p' "$0" && exit 2 ;;
esac
