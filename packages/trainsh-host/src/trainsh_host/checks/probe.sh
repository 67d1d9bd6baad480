# Prints what a machine has, as lines `key=value`. Each program is run to print its version. This also shows that
# the program works.
# shellcheck shell=sh
export LC_ALL=C
PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin
say() { printf '%s=%s\n' "$1" "$2"; }
first() { "$@" 2>/dev/null </dev/null | sed -n 1p; }

# locate PROGRAM: prints the path of a program. It searches this shell's PATH first, and then the PATH of a login
# shell, which may also have ~/bin on a cluster, or Homebrew on a Mac.
locate() {
  command -v "$1" 2>/dev/null && return
  case ${SHELL##*/} in
    bash | zsh | fish | sh | dash | ksh | mksh | ash)
      "$SHELL" -lc "command -v $1" 2>/dev/null </dev/null | sed -n '/^\//p' | sed -n '$p'
      ;;
    csh | tcsh)
      # csh and tcsh accept no other option beside -l.
      echo "which $1" | "$SHELL" -l 2>/dev/null | sed -n '/^\//p' | sed -n '$p'
      ;;
  esac
}

# version PROGRAM OPTION: prints the first line that PROGRAM prints when it is run with OPTION. If only a login
# shell finds the program, its path is printed too.
version() {
  path=$(locate "$1")
  [ -n "$path" ] || { say "$1" ""; return; }
  text=$(first "$path" "$2")
  command -v "$1" >/dev/null 2>&1 || text="$text ($path)"
  say "$1" "$text"
}

say system "$(uname -sm 2>/dev/null)"
say user "$(id -un 2>/dev/null) $(id -u 2>/dev/null)"
version tmux -V
version rsync --version
version rclone version
if ps -p $$ >/dev/null 2>&1 || ps >/dev/null 2>&1; then
  say processes ps
elif [ -r "/proc/$$/stat" ]; then
  say processes /proc
fi
missing=
for program in cat cut date dd grep mkdir mkfifo mv rm sed sleep tail tr wc; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
say missing "$missing"
for manager in apt-get dnf yum apk pacman zypper brew; do
  command -v "$manager" >/dev/null 2>&1 && { say manager "$manager"; break; }
done
command -v sudo >/dev/null 2>&1 && say sudo yes
if command -v nvidia-smi >/dev/null 2>&1; then
  nvidia-smi --query-gpu=name,memory.total --format=csv,noheader 2>&1 </dev/null | while IFS= read -r line; do
    say gpu "$line"
  done
elif command -v rocm-smi >/dev/null 2>&1; then
  rocm-smi --showproductname 2>/dev/null </dev/null | sed -n 's/.*Card [Ss]eries:[[:space:]]*/gpu=/p'
fi
cd "${HOME:-/}" 2>/dev/null || say home missing
if touch ".trainsh-test.$$" 2>/dev/null; then rm -f ".trainsh-test.$$"; else say home "cannot be written"; fi
say disk "$(df -Pk . 2>/dev/null | sed -n 2p)"
say end 1
