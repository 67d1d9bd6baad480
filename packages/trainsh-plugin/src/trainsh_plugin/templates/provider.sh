#!/bin/sh
# summary: machines of acme, a cloud that is a folder of this machine (needs jq)
set -eu
cloud=${ACME_CLOUD:-$HOME/.acme} verb=${1---help} && mkdir -p "$cloud"
case ${2-} in --input) input=$(cat) ;; *) input=$(jq -cn --arg ref "${2-}" '{ref: $ref, host: $ref}') ;; esac
get() { printf %s "$input" | jq -r --arg key "$1" '.[$key] // ""'; }
fail() { jq -cn --argjson exit "$1" --arg code "$2" --arg message "$3" "{error: (\$ARGS.named + ${4:-null})}" >&2 && exit "$1"; }
all() { for file in "$cloud"/*.json; do if [ -e "$file" ]; then cat "$file"; fi; done; }
mine() { # prints the ids for a ref: an id, a host (what the job rented for it, else what _hosts has), or "" (all of the job)
  all | jq -rs --arg ref "${1#acme:}" --argjson given "${input:-null}" '($given._job // "") as $job |
    ($given._hosts[$ref] | if type == "object" then .name else . end) as $spec |
    map(select(.id == $ref or .label == "\($job)/\($ref)" or ($ref == "" and $job != "" and .job == $job))) as $found |
    if $found != [] then $found else map(select("acme:\(.id)" == $spec)) end | .[].id'
}
save() { jq -c --arg s "$2" '.state = $s' "$cloud/$1.json" >"$cloud/$1.$$" && mv "$cloud/$1.$$" "$cloud/$1.json"; }
one='"params": {"properties": {"ref": {"type": "string", "x-positional": true, "x-kind": "host"},
  "_job": {"type": "string"}, "_hosts": {"type": "object"}}}'
case $verb in
-h | --help) echo 'usage: train acme list | pick HOST | start ID | stop ID | destroy ID | resolve ID' ;;
--version) echo 'train-acme 1' ;;
schema) cat <<EOF ;;
{"name": "acme", "summary": "Machines of acme", "provides": ["hosts"], "commands": {
  "list": {"summary": "List the machines", "params": {"type": "object", "properties": {}}},
  "bill": {"summary": "Say what they cost now", "params": {"type": "object", "properties": {}}},
  "pick": {"summary": "Rent one", "ensures": true, "fills": "host", "rents": true, "params": {"type": "object",
    "required": ["host"], "properties": {"host": {"type": "string", "x-positional": true, "x-kind": "host"},
      "size": {"type": "string", "enum": ["small", "large"]}, "_job": {"type": "string"}}}},
  "resolve": {"summary": "Say how one is reached", $one},
  "start": {"summary": "Start one", "ensures": true, "rents": true, $one},
  "stop": {"summary": "Stop one", "ensures": true, "releases": "billing", $one},
  "destroy": {"summary": "Give one back", "ensures": true, "releases": "disk", $one}}}
EOF
list) all | jq -s . ;;
bill) all | jq -s '{now: map(.per_hour = if .state == "stopped" then "0" else "\(.price_per_hour)" end), month: null}' ;;
pick)
  job=$(get _job) host=$(get host) size=$(get size) && [ -n "$host" ] || fail 2 usage 'pick for which host?'
  if [ -z "$(mine "$host")$size" ]; then # if the host has no machine yet, ask the question before the lock is taken
    size=$(train ask choose 'Which size?' small large --default small --flag size=NAME --json | jq -r .)
    [ -n "$size" ] || exit 2 # nobody answered, and train ask has printed this
  fi
  id=$(train plugin locked "acme-$job-$host" -- "$0" rent "$job" "$host" "$size")
  for done in 1 2 3; do # the wait is outside of the lock, so that a cancel can end it
    printf '{"event": "progress", "done": %d, "total": 3}\n' "$done" >&"${TRAINSH_EVENTS:-2}" && sleep 0.2
  done && save "$id" running
  jq --arg host "$host" '{hosts: {($host): "acme:\(.id)"}, instance: ., message: .id}' "$cloud/$id.json" ;;
rent) # JOB HOST SIZE, under the lock: looks for the label first; the cloud writes it when it creates a machine
  if id=$(all | jq -r --arg holder "$2/$3" 'select(.label == $holder) | .id') && [ -z "$id" ]; then
    file=$(mktemp "$cloud/mXXXXXX") && id=${file##*/} && sleep "${ACME_SECONDS:-1}"
    jq -cn --arg id "$id" --arg job "$2" --arg label "$2/$3" --arg gpu "$4" --arg end "train acme stop $id" \
      '{state: "starting", price_per_hour: 0.1} + $ARGS.named' >"$file" && mv "$file" "$file.json"
  fi && echo "$id" ;;
resolve | start | stop | destroy)
  ref=$(get ref) && ids=$(mine "$ref") && [ -n "$ids" ] ||
    fail 3 no_instance "no such machine: ${ref:-the job holds none}" '{data: {gone: true}}'
  for id in $ids; do
    case $verb in start) save "$id" running ;; stop) save "$id" stopped ;; destroy) rm "$cloud/$id.json" ;; esac
  done # for a real machine: {"name": "acme:ID", "kind": "ssh", "argv": ["ssh", "-p", "2222", "user@1.2.3.4"], ...}
  jq -n --arg id "$ids" --arg message "$verb: $ids" --arg verb "$verb" 'if $verb != "resolve" then {$message}
    else {name: "acme:\($id)", kind: "local", rented: true, machine: $id} end' ;;
*) fail 2 usage "no such command: $verb" ;; esac
