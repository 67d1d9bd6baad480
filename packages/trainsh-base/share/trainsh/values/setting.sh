# Prints the values of the kind `setting`: the settings that the installed tools declare.
# shellcheck shell=sh disable=SC2154 # shared comes from complete.sh
awk -F '\t' 'NF > 3 { print $1 "\t" $4 }' "$shared"/settings/* 2>/dev/null
