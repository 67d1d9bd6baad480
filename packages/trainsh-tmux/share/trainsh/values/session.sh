# Prints the values of the kind `session`: the sessions that were opened on this machine, and the job of each session.
# shellcheck shell=sh
for folder in "${XDG_STATE_HOME:-$HOME/.local/state}"/tmux-trainsh/sessions/train*/*/; do
  if [ -d "$folder" ]; then
    folder=${folder%/}
    server=${folder%/*}
    printf '%s\t%s\n' "${folder##*/}" "${server##*/}"
  fi
done
