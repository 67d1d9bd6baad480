# Prints the values of the kind `instance`: the machines in the provider's last `list`, if that ran in the last ten
# minutes.
# shellcheck shell=sh disable=SC2154 # state and tool come from complete.sh
if [ -n "$(find "$state/instances/$tool" -mmin -10 2>/dev/null)" ]; then cat "$state/instances/$tool"; fi
