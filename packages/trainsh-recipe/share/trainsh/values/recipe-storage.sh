# Values of the kind `recipe-storage`, NAME=SPEC: the storages that the recipe among the words defines, then storages.
# shellcheck shell=sh disable=SC2154,SC2034 # current and values come from complete.sh
case $current in
*=*) values storage | sed "s|^|${current%%=*}=|" ;;
*) defines=storage && values recipe-definition ;;
esac
