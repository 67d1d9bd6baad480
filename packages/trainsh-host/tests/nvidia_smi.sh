#!/bin/sh
# Imitates nvidia-smi on a machine without a GPU. It answers the two queries that `train host gpus` makes, and -L, in
# the form that a real nvidia-smi prints (real/h100.txt). The files in the folder of this script tell what it prints:
#   cards    a line for each GPU: `field=value|field=value`
#   apps     a line for each process, in the same form; without this file there is no process
#   devices  what -L prints
#   broken   if this file exists, only its text is printed, and the status is 9
#   old      if this file exists, the driver does not know MIG
#   hangs    if this file exists, there is never an answer
here=$(dirname "$0")
[ ! -e "$here/hangs" ] || exec sleep 1000
if [ -e "$here/broken" ]; then
    cat "$here/broken"
    exit 9
fi
case $* in
-L) cat "$here/devices" && exit ;;
*' --format=csv,noheader,nounits') ;;
*) echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help." && exit 1 ;;
esac
case $1 in
--query-gpu=*) from=cards ;;
--query-compute-apps=*) from=apps ;;
*) printf "ERROR: Option %s is not recognized. Please run 'nvidia-smi -h'.\n\n" "$1" && exit 255 ;;
esac
fields=${1#*=}
if [ -e "$here/old" ]; then
    case $fields in
    *mig.mode.current*) printf 'Field "mig.mode.current" is not a valid field to query.\n\n' && exit 2 ;;
    esac
fi
if [ "$from" = cards ] && [ ! -s "$here/cards" ]; then
    echo 'No devices were found'
    exit 6
fi
[ -e "$here/$from" ] || exit 0
awk -v fields="$fields" -F'|' '{
    split("", value)
    for (i = 1; i <= NF; i++) { at = index($i, "="); value[substr($i, 1, at - 1)] = substr($i, at + 1) }
    count = split(fields, name, ",")
    line = ""
    for (i = 1; i <= count; i++) line = line (i > 1 ? ", " : "") (name[i] in value ? value[name[i]] : "[N/A]")
    print line
}' "$here/$from"
