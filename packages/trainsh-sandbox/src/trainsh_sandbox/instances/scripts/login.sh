#!/bin/bash
# Run for a login by an ordinary user's sshd, inside the instance: runs the requested command, or a shell.
export HOME=/root SHELL=/bin/bash PATH="/sandbox/bin:$PATH"
cd /root || exit 1
case ${SSH_ORIGINAL_COMMAND-} in
'') exec bash -l ;;
internal-sftp | *sftp-server*) exec /usr/lib/openssh/sftp-server ;;
*) exec bash -c "$SSH_ORIGINAL_COMMAND" ;;
esac
