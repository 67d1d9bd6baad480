# Prints completions of the kind `host`: the hosts of hosts.toml, the names in ~/.ssh/config, and the machines that
# each provider has listed last.
# shellcheck shell=sh disable=SC2154 # config and values come from complete.sh
printf 'local\tthis machine\n'
if [ -f "$config/hosts.toml" ]; then
  awk '
    function show() { if (name != "") print name "\t" host; name = host = "" }
    function text(line) { sub(/^[^=]*= */, "", line); gsub(/^["\047]|["\047] *(#.*)?$/, "", line); return line }
    /^ *\[/ { show() }
    /^ *name *=/ { name = text($0) }
    /^ *hostname *=/ { host = text($0) }
    END { show() }
  ' "$config/hosts.toml"
fi
if [ -f "$HOME/.ssh/config" ]; then
  awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++) if ($i !~ /[*?!"]/) print $i "\tfrom ~/.ssh/config" }' "$HOME/.ssh/config"
fi
for provider in "$state"/instances/*; do
  if [ -f "$provider" ]; then
    tool=${provider##*/}
    values instance | while IFS= read -r line; do printf '%s\n' "$tool:$line"; done
  fi
done
