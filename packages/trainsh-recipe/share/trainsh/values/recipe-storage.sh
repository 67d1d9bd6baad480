# Prints values of the kind `recipe-storage`, NAME=SPEC: NAME is a storage of the recipe, SPEC a configured storage.
# shellcheck shell=sh disable=SC2154,SC2034 # current and values come from complete.sh
case $current in
*=*) values storage | sed "s|^|${current%%=*}=|" ;;
*) defines=storage && values recipe-definition ;;
esac
