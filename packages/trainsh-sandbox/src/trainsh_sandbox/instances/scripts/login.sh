#!/bin/bash
# The sshd of an ordinary user runs this script inside the instance for each login. The script runs the command that
# the login requests. If the login requests no command, it runs a shell.
export HOME=/root SHELL=/bin/bash PATH="/sandbox/bin:$PATH"
cd /root || exit 1
case ${SSH_ORIGINAL_COMMAND-} in
'') exec bash -l ;;
internal-sftp | *sftp-server*) exec /usr/lib/openssh/sftp-server ;;
*) exec bash -c "$SSH_ORIGINAL_COMMAND" ;;
esac
