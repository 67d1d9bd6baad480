#!/bin/sh
# Every script that is committed is read by shellcheck, and parsed by every shell that may run it.
set -eu
cd "$(dirname "$0")/.."
scripts=$(git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
  case $file in
  *.sh | *.bash | *.rc) printf '%s\n' "$file" ;;
  *.bats | *.py | *.md | *.recipe | *.txt | *.toml | *.json) ;;
  *) if [ -f "$file" ] && head -n 1 "$file" | grep -q '^#!.*sh'; then printf '%s\n' "$file"; fi ;;
  esac
done)
# The file names are ours and contain no blanks, so the shell may split them.
# shellcheck disable=SC2086
shellcheck --severity=warning $scripts
for file in $scripts; do
  case $(head -n 1 "$file") in
  *bash*) bash -n "$file" ;;
  *)
    for shell in "sh" "dash" "busybox sh"; do
      # shellcheck disable=SC2086
      if command -v ${shell%% *} >/dev/null 2>&1; then $shell -n "$file"; fi
    done
    ;;
  esac
done
