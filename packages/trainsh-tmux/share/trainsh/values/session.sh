# Values of the kind `session`: those that were opened on this machine, and the job that each is of.
# shellcheck shell=sh
for folder in "${XDG_STATE_HOME:-$HOME/.local/state}"/tmux-trainsh/sessions/train*/*/; do
  if [ -d "$folder" ]; then
    folder=${folder%/}
    server=${folder%/*}
    printf '%s\t%s\n' "${folder##*/}" "${server##*/}"
  fi
done
