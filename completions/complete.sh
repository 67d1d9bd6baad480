# `train --complete WORD...` prints what can stand at the end of a command line. The last WORD is the one being typed.
# Each candidate is a line, which may have a description after a tab. The lines `@files` and `@folders` mean that the
# shell should offer the names of files or folders, as it does by itself.
#
# bin/train reads this file, so `home`, `shortcuts`, find_tool and list_tools are defined there. What each tool takes
# is in the table share/trainsh/completions/TOOL, which `make completions` writes. Values such as names of hosts are
# printed by the script share/trainsh/values/KIND.sh of the package that has them. These scripts read files of this
# machine, and use neither the network nor Python.
# shellcheck shell=sh disable=SC2154,SC2034,SC1090

tab=$(printf '\t')
config=${TRAINSH_HOME:-${XDG_CONFIG_HOME:-$HOME/.config}/tmux-trainsh}
state=${XDG_STATE_HOME:-$HOME/.local/state}/tmux-trainsh
if [ -n "${TRAINSH_HOME-}" ]; then state=$TRAINSH_HOME/state; fi
shared=$home/../share/trainsh

# Prints the lines of stdin that begin with $current, except those with control characters.
matching() {
  WORD=$current LC_ALL=C awk 'index($0, ENVIRON["WORD"]) == 1 || /^@(files|folders)$/ { if (!/[\001-\010\013-\037\177]/) print }'
}

commands() { # prints the tools and the shortcuts, each with its summary
  list_tools | while IFS=$tab read -r name mark; do
    group='' summary=''
    if [ -z "$mark" ] && [ -f "$shared/tools/$name" ]; then
      IFS=$tab read -r _ group summary <"$shared/tools/$name" || :
    fi
    printf '%s\t%s\n' "$name" "$summary"
  done
  for file in "$shortcuts"/*; do
    if [ -f "$file" ] && read -r meant <"$file"; then printf '%s\ttrain %s\n' "${file##*/}" "$meant"; fi
  done
}

topics() { # prints the topics of `train help`, each with its summary
  for file in "$shared"/topics/*; do
    if [ -f "$file" ] && read -r summary <"$file"; then printf '%s\t%s\n' "${file##*/}" "$summary"; fi
  done
}

values() { # KIND: prints every value of that kind
  case $1 in
  '') ;;
  file) echo @files ;;
  folder) echo @folders ;;
  command) commands ;;
  *) if [ -f "$shared/values/$1.sh" ]; then . "$shared/values/$1.sh"; fi ;;
  esac
}

# Prints what can stand at the end of WORD..., the words after a tool's name, as the file TABLE says: candidates, or a
# line `@KIND TEXT` if values of that kind can follow after TEXT. The dot keeps a last word that is empty.
from_table() { # TABLE WORD...
  table=$1
  shift
  WORDS=$(printf '%s\n' "$@" .) LC_ALL=C awk -f "$shared/shell/complete.awk" "$table"
}

# Prints the candidates for the end of WORD..., the words after the tool's name. A tool without a table gets @files.
complete_tool() { # TOOL WORD...
  tool=$1
  shift
  if ! find_tool "$tool"; then return; fi
  table=${found%/*}/../share/trainsh/completions/$tool
  if [ ! -f "$table" ]; then table=$shared/completions/$tool; fi
  if [ ! -f "$table" ]; then echo @files && return; fi
  from_table "$table" "$@" | while IFS= read -r line; do
    case $line in
    @*)
      kind=${line%% *}
      before=${line#* }
      current=${current#"$before"}
      values "${kind#@}" | matching | if [ -z "$before" ]; then cat; else
        while IFS= read -r value; do
          case $value in @*) echo "$value" ;; *) printf '%s\n' "$before$value" ;; esac
        done
      fi
      ;;
    *) printf '%s\n' "$line" ;;
    esac
  done
}

typed=$(printf '%s\n' "$@") # the whole command line, a word a line; scripts in share/trainsh/values read it

complete_words() { # WORD...: prints the candidates for the last WORD; the words are those after `train`
  for current; do :; done
  if [ $# -eq 1 ]; then
    case $current in
    -*) printf '%s\n' '--help' '--version' '--list' '--exec-path' | matching ;;
    *) commands | matching ;;
    esac
  elif [ "$1" = help ]; then
    shift
    if [ $# -eq 1 ]; then
      { commands && topics; } | matching
    else
      complete_words "$@"
    fi
  elif [ -f "$shortcuts/$1" ] && read -r tool command <"$shortcuts/$1"; then
    shift
    complete_tool "$tool" "$command" "$@"
  else
    complete_tool "$@"
  fi
}

while [ $# -gt 1 ]; do # options of every command may stand before it
  case $1 in -q | --quiet | -v | --verbose | --debug | --json | --jsonl | --no-color | --no-pager) shift ;; *) break ;; esac
done
if [ $# -gt 0 ]; then complete_words "$@"; fi
