# Prints values of the kind `recipe-var`, NAME=VALUE: NAME is a variable of the recipe, VALUE is @ and a secret's name.
# shellcheck shell=sh disable=SC2154,SC2034 # current and values come from complete.sh
case $current in
*=@*) values secret | sed "s|^|${current%%=*}=@|" ;;
*=*) ;;
*) defines=var && values recipe-definition ;;
esac
