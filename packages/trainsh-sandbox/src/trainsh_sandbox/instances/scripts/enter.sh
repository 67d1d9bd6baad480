#!/bin/sh
# Creates the root folder of one instance, and starts the instance's first process there. The script runs in new
# mount and process namespaces. In the instance, this machine's files are visible but read-only. The folders /root,
# /home, /tmp, /etc, /workspace and /backup are the instance's own. It is called as:
#   enter.sh FOLDER IMAGE HIDE KEEP INIT [WORD...]
# FOLDER contains the instance's own folders. IMAGE is mounted at /sandbox. HIDE is a folder that the instance must
# not see. KEEP is a folder that stays visible. INIT is the program of the first process, and the WORDs are its
# arguments.
set -eu
folder=$1 image=$2 hide=$3 keep=$4
shift 4
new=$folder/new
mount -t tmpfs -o mode=755 sandbox "$new"
for entry in /*; do
  name=${entry#/}
  case $name in
  proc | tmp | root | home | run | workspace | backup | sandbox | etc | lost+found) continue ;;
  esac
  if [ -L "$entry" ]; then
    cp -P "$entry" "$new/"
  elif [ -d "$entry" ]; then
    mkdir "$new/$name"
    mount --rbind "$entry" "$new/$name"
  fi
done
# If FOLDER is inside a folder that the loop has mounted, the new root is also visible below itself. It is unmounted
# there.
umount -R -l "$new$new" 2>/dev/null || :
if [ -d "$new$hide" ]; then mount -t tmpfs -o mode=755 hidden "$new$hide"; fi
mkdir -p "$new/run/sshd" "$new/proc" "$new/sandbox" "$new/home"
for name in root tmp etc workspace backup; do
  mkdir "$new/$name"
  mount --bind "$folder/$name" "$new/$name"
done
mount --bind "$image" "$new/sandbox"
if [ ! -d "$new$keep" ]; then
  mkdir -p "$new$keep"
  mount --rbind "$keep" "$new$keep"
fi
# Make every mount in the new root read-only. A user namespace requires that the other flags of a mount are kept.
while read -r _ _ _ _ at flags _; do
  case $at in
  "$new"/root | "$new"/tmp | "$new"/etc | "$new"/workspace | "$new"/backup | "$new"/dev | "$new"/dev/*) ;;
  "$new"/*)
    case $flags in ro | ro,*) ;; *) mount -o "remount,bind,ro${flags#rw}" "$at" ;; esac
    ;;
  esac
done </proc/self/mountinfo
if (: >"$new/usr/.sandbox") 2>/dev/null; then
  echo "the instance could write to this machine's /usr" >&2
  exit 1
fi
mount -t proc proc "$new/proc" 2>/dev/null || mount --rbind /proc "$new/proc"
hostname "$SANDBOX_HOSTNAME" 2>/dev/null || true
set -- chroot "$new" "$@"
if command -v setpriv >/dev/null; then
  set -- setpriv --bounding-set -sys_admin,-sys_module,-sys_rawio,-sys_time,-sys_boot,-mknod "$@"
fi
exec "$@"
