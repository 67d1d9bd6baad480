# Prints the values of the kind `secret`: the names (never the values) of secrets that the installed tools use, and of
# those that were stored from this machine.
# shellcheck shell=sh disable=SC2154 # config and shared come from complete.sh
cat "$shared"/secrets/* 2>/dev/null
if [ -f "$config/keyring.names" ]; then cat "$config/keyring.names"; fi
