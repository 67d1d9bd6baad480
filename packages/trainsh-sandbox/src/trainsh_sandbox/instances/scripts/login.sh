#!/bin/bash
# What an ordinary user's sshd starts for a login, inside the instance: the command that was asked for, or a shell.
export HOME=/root SHELL=/bin/bash PATH="/sandbox/bin:$PATH"
cd /root || exit 1
case ${SSH_ORIGINAL_COMMAND-} in
'') exec bash -l ;;
internal-sftp | *sftp-server*) exec /usr/lib/openssh/sftp-server ;;
*) exec bash -c "$SSH_ORIGINAL_COMMAND" ;;
esac
