#!/bin/sh
# summary: how long this machine has been up
set -eu
case ${1---help} in
-h | --help) echo 'usage: train acme get [--input - --json]' ;;
--version) echo 'train-acme 1' ;;
schema)
  cat <<'EOF'
{"name": "acme", "summary": "How long this machine has been up", "commands": {
  "get": {"summary": "Say it", "params": {"type": "object", "properties": {}}}}}
EOF
  ;;
get) printf '{"message": "%s"}\n' "$(uptime | tr -d '"\\')" ;;
*)
  echo '{"error": {"code": "usage", "message": "no such command, see: train acme --help", "exit": 2}}' >&2
  exit 2
  ;;
esac
