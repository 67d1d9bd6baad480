#!/bin/sh
# The first process of an instance. It starts the instance's programs, reaps children, and exits when its input is
# closed. It is called as:
#   init.sh [SSHD WORD...]
exec 3<&0 </dev/null
trap 'exit 0' TERM
(cat <&3 >/dev/null; kill -TERM 1) &
exec 3<&-
if [ -x /root/onstart.sh ]; then (cd /root && exec /root/onstart.sh >/tmp/onstart.log 2>&1 </dev/null) & fi
if [ $# -gt 0 ]; then "$@" & fi
while :; do wait; done
