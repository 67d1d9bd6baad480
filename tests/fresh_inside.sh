#!/bin/sh
# The first process of the machine that tests/fresh.py makes: mounts what a machine has, then runs the commands.
# usage: fresh_inside.sh ROOT SHOWN COMMANDS
#   ROOT      an empty folder; the layers LOWER and UPPER (with WORK) are mounted on it
#   SHOWN     a file that names folders and files of this machine, a line each, to be seen inside too
#   CACHED    (environment) where packages that were fetched are kept
set -eu
root=$1
hostname fresh
mount -t overlay -o "lowerdir=$LOWER,upperdir=$UPPER,workdir=$WORK" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/net"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
for device in null zero full random urandom tty net/tun; do
  if [ -e "/dev/$device" ]; then touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"; fi
done
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
while read -r path; do
  if [ -d "$path" ]; then mkdir -p "$root$path"; else mkdir -p "$root${path%/*}" && touch "$root$path"; fi
  mount --bind -o ro "$path" "$root$path"
done <"$2"
for kept in apt:/var/cache/apt/archives pip:/root/.cache/pip; do
  mkdir -p "$CACHED/${kept%%:*}/partial" "$root${kept#*:}"
  mount --bind "$CACHED/${kept%%:*}" "$root${kept#*:}"
done
unset LOWER UPPER WORK CACHED
cd "$root"
status=0
chroot . sh -c 'update-ca-certificates >/dev/null 2>&1; cd /root/tmux-trainsh; eval "$1"' sh "$3" || status=$?
exit "$status"
