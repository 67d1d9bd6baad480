# shellcheck shell=bash
# An interactive login starts in tmux, as on a rented instance, unless ~/.no_auto_tmux exists.
export PATH=/sandbox/bin:${PATH#/sandbox/bin:}
if [ -n "${SSH_TTY-}" ] && [ -z "${TMUX-}" ] && [ ! -e ~/.no_auto_tmux ] && command -v tmux >/dev/null; then
  case $- in *i*) exec tmux new-session -A -s ssh_tmux ;; esac
fi
