# Prints the values of the kind `job`: the newest 30 jobs, newest first. Each value is the last four characters of an id.
# shellcheck shell=sh disable=SC2154 # config comes from complete.sh
ls -r "$config/jobs" 2>/dev/null | JOBS=$config/jobs awk '
  !/^[0-9]+-[0-9]+-/ { next }
  ++count > 30 { exit }
  {
    file = ENVIRON["JOBS"] "/" $0 "/events.jsonl"
    name = ""
    if ((getline line < file) > 0 && match(line, /"name":"[^"]*"/)) name = substr(line, RSTART + 8, RLENGTH - 9)
    close(file)
    print substr($0, length($0) - 3) "\t" name " " substr($0, 1, 13)
  }'
