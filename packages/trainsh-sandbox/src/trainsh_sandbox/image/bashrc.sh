# shellcheck shell=bash
# As on a rented instance: an interactive login starts in tmux, unless ~/.no_auto_tmux exists.
export PATH=/sandbox/bin:${PATH#/sandbox/bin:}
if [ -n "${SSH_TTY-}" ] && [ -z "${TMUX-}" ] && [ ! -e ~/.no_auto_tmux ] && command -v tmux >/dev/null; then
  case $- in *i*) exec tmux new-session -A -s ssh_tmux ;; esac
fi
