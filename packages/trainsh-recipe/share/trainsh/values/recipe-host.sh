# Values of the kind `recipe-host`, NAME=SPEC: the hosts that the recipe among the words defines, then hosts.
# shellcheck shell=sh disable=SC2154,SC2034 # current and values come from complete.sh
case $current in
*=*) values host | sed "s|^|${current%%=*}=|" ;;
*) defines=host && values recipe-definition ;;
esac
