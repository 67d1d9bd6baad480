# Prints values of the kind `recipe-host`, NAME=SPEC: NAME is a host of the recipe, SPEC a configured host.
# shellcheck shell=sh disable=SC2154,SC2034 # current and values come from complete.sh
case $current in
*=*) values host | sed "s|^|${current%%=*}=|" ;;
*) defines=host && values recipe-definition ;;
esac
