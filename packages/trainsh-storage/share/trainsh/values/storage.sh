# Prints the values of the kind `storage`: name and type of each storage in storages.toml.
# shellcheck shell=sh disable=SC2154 # config comes from complete.sh
if [ -f "$config/storages.toml" ]; then
  awk '
    function show() { if (name != "") print name "\t" type; name = type = "" }
    function text(line) { sub(/^[^=]*= */, "", line); gsub(/^["\047]|["\047] *(#.*)?$/, "", line); return line }
    /^ *\[\[/ { show() }
    /^ *\[[^[]/ { inner = 1 }
    /^ *\[\[/ { inner = 0 }
    !inner && /^ *name *=/ { name = text($0) }
    !inner && /^ *type *=/ { type = text($0) }
    END { show() }
  ' "$config/storages.toml"
fi
