# Prints the values of the kind `recipe`: names of the recipes in the settings folder and in the current folder, and paths.
# shellcheck shell=sh disable=SC2154 # config and current come from complete.sh
for folder in "$config/recipes" .; do
  for file in "$folder"/*.recipe; do
    if [ -f "$file" ]; then
      name=${file##*/}
      about=
      read -r about <"$file" || :
      case $about in '#'*) about=${about#'#'} ;; *) about= ;; esac
      printf '%s\t%s\n' "${name%.recipe}" "${about# }"
    fi
  done
done
case $current in */* | .* | '~'*) echo @files ;; esac
