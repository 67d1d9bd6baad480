# Prints the values of the kind `secret`: the names (never the values) of secrets that train itself uses, and of those
# that were stored from this machine.
# shellcheck shell=sh disable=SC2154 # config and shared come from complete.sh
cat "$shared/values/secret.names"
if [ -f "$config/keyring.names" ]; then cat "$config/keyring.names"; fi
