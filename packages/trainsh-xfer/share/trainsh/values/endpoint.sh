# Prints completions of the kind `endpoint`: hosts and storages in the form that `train transfer` takes, and the names of files.
# shellcheck shell=sh disable=SC2154 # values comes from complete.sh
values host | awk -F '\t' '$1 != "local" { print $1 ":\t" $2 }'
values storage | awk -F '\t' '{ print "storage:" $1 ":\t" $2 }'
echo @files
