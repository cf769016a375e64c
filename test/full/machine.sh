# Sourced by the parts of test/full: a Debian machine in a folder, booted with its own systemd as process 1, in namespaces of its own.
# shellcheck shell=sh disable=SC2154 # variables of part.sh and machine.sh

# fresh SUITE PACKAGES FOLDER: Debian's base with systemd, and packages separated by commas. What debootstrap made is kept for the next run.
fresh() {
  kept=/var/cache/acl-groups-test/full-$1-$(echo "$2" | sha256sum | cut -c 1-8)
  if [ ! -d "$kept" ]; then
    debootstrap --variant=minbase --include="systemd,systemd-sysv,dbus,ca-certificates,$2" "$1" "$work/base" >"$work/debootstrap.log" 2>&1 ||
      { tail -20 "$work/debootstrap.log" && fail "debootstrap failed"; }
    mkdir -p "${kept%/*}"
    # Whole, or not at all.
    mv "$work/base" "$kept.${work##*.}"
    mv -T "$kept.${work##*.}" "$kept" || rm -rf "$kept.${work##*.}"
  fi
  cp -a --reflink=auto "$kept" "$3"
  # As on the machine that this runs on, which may reach the Internet by a proxy with a certificate of its own.
  cp /etc/ssl/certs/ca-certificates.crt "$3/etc/ssl/certs/ca-certificates.crt"
  # No terminal, no modules of the kernel's, and no waiting for a network that has only a loopback interface.
  for unit in console-getty.service systemd-modules-load.service systemd-networkd-wait-online.service; do
    ln -sf /dev/null "$3/etc/systemd/system/$unit"
  done
}

# boot FOLDER: starts its systemd, and waits until it is up. The machine's network is a loopback interface of its own.
boot() {
  root=$1
  cgroup=$work/cgroup/acl-groups-$$
  mkdir -p "$work/cgroup"
  mountpoint -q "$work/cgroup" || mount -t cgroup2 cgroup2 "$work/cgroup"
  mkdir "$cgroup"
  # shellcheck disable=SC2016 # the variables of the shell inside
  sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare --mount --pid --fork --cgroup --uts --ipc --net -- sh -eu -c "$2" boot "$3"' boot \
    "$cgroup" "$boot_program" "$root" </dev/null >"$work/boot.log" 2>&1 &
  launcher=$!
  init=''
  until [ -n "$init" ] && [ -S "/proc/$init/root/run/systemd/private" ]; do
    kill -0 $launcher 2>/dev/null || { cat "$work/boot.log" && fail "systemd didn't start"; }
    init=$(cat "/proc/$launcher/task/$launcher/children")
    init=${init% }
    sleep 0.1
  done
  state=$(inside systemctl is-system-running --wait) || { inside systemctl --failed --no-pager && fail "the machine is $state"; }
}
# shellcheck disable=SC2016 # the variables of the shell that runs it
boot_program='
  mount --bind "$1" "$1"
  cd "$1"
  mount -t proc proc proc
  mount -t sysfs -o ro sysfs sys
  mount -t tmpfs tmpfs sys/fs
  mkdir sys/fs/cgroup
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=755 tmpfs dev
  for device in null zero full random urandom tty; do
    touch dev/$device
    mount --bind /dev/$device dev/$device
  done
  mkdir dev/pts dev/shm
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
  ln -s pts/ptmx dev/ptmx
  ln -s /proc/self/fd dev/fd
  hostname acl-groups-test
  ip link set lo up
  exec chroot . /usr/bin/env -i container=acl-groups PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console'

# halt: ends the machine, and all that runs in it.
halt() {
  kill -KILL "$init"
  wait "$launcher" || true
  find "$cgroup" -depth -type d -exec rmdir {} +
}

# inside COMMAND...: runs it in the machine, as in root's shell there, but with our network.
inside() {
  nsenter --target "$init" --root --wd --mount --uts --ipc --pid --cgroup -- /usr/bin/env -i \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}
