# Completes train and every train-* in bash (3.2 and later). `train --complete` prints what can follow.
# shellcheck shell=bash

_train() {
  local words=() word rest=$COMP_LINE place program current before line replies=() files='' nospace=yes
  # bash also splits words at = and :, so this joins the parts that have no blank between them.
  for ((place = 0; place <= COMP_CWORD; place++)); do
    word=${COMP_WORDS[place]}
    if ((place > 0)) && [[ $rest != [[:space:]]* ]]; then
      words[${#words[@]} - 1]=${words[${#words[@]} - 1]}$word
    else
      words[${#words[@]}]=$word
    fi
    rest=${rest#"${rest%%[![:space:]]*}"}
    rest=${rest#"$word"}
  done
  current=${words[${#words[@]} - 1]}
  case $current in [\"\']*) current=${current:1} words[${#words[@]} - 1]=$current ;; esac
  program=${words[0]/#\~/$HOME}
  words=("${words[@]:1}")
  case ${program##*/} in
  train-*)
    word=${program##*/}
    words=("${word#train-}" "${words[@]}")
    program=${program%"$word"}train
    ;;
  esac
  before=${current%"${current##*[=:]}"} # readline keeps this part and appends the answer to it
  while IFS= read -r line; do
    case $line in
    @files) files=-f ;;
    @folders) files=-d ;;
    *)
      line=${line%%$'\t'*}
      replies[${#replies[@]}]=${line#"$before"}
      ;;
    esac
  done < <("$program" --complete "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  if [[ -n $files ]] && ((${#replies[@]} == 0)); then # readline quotes file names, and adds a slash to folders
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY[${#COMPREPLY[@]}]=$line; done < <(compgen "$files" -- "$current")
    return
  fi
  if [[ -n $files ]]; then
    while IFS= read -r line; do
      if [[ -d $line ]]; then line=$line/; fi
      replies[${#replies[@]}]=${line#"$before"}
    done < <(compgen "$files" -- "$current")
  fi
  for line in "${replies[@]+"${replies[@]}"}"; do
    COMPREPLY[${#COMPREPLY[@]}]=$(printf %q "$line")
    case $line in *[=:/]) ;; *) nospace='' ;; esac
  done
  if [[ -n $nospace ]]; then compopt -o nospace 2>/dev/null; fi
}

_train_register() {
  local name
  complete -F _train train
  while IFS=$'\t' read -r name _; do complete -F _train "train-$name"; done < <(train --list 2>/dev/null)
}
_train_register
unset -f _train_register
