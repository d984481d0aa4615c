# shellcheck shell=bash
# A running systemd: the first process of a container in the lab's machine, on a
# copy of its root file system and in a network namespace, so with an IPVS table,
# that is new at each boot. tests/systemd.sh and tests/rpm.sh source this, after
# checks.sh.
# shellcheck disable=SC2034,SC2154,SC2317 # they set, use and call the rest

root=$work/root
# A file system that outlives the boots.
make_root() {
    mkdir "$work/space" "$root"
    mount -t tmpfs space "$work/space"
    mkdir "$work/space/upper" "$work/space/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$work/space/upper,workdir=$work/space/work" "$root"
    # Without an id, systemd would take this for its first boot and enable all.
    systemd-machine-id-setup --root="$root"
    mkdir "$root/var/log/journal"
    # What makes a root's init systemd, to Debian's scripts: systemd-sysv.
    ln -s /lib/systemd/systemd "$root/sbin/init"
    ln -s /bin/systemctl "$root/sbin/runlevel"
    systemctl --root="$root" mask getty.target
    # A network that takes its time: at boot, no sync daemon runs without it.
    cat >"$root/etc/systemd/system/network.service" <<END
[Unit]
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=sleep 2
ExecStart=ip link add sync0 type dummy
ExecStart=ip address add 10.99.0.1/24 dev sync0
ExecStart=ip link set sync0 up
ExecStart=ip route add 10.0.0.0/24 dev sync0
[Install]
WantedBy=network-online.target
END
    systemctl --root="$root" enable network
}

# What a container has before systemd.
enter_root() {
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=755 run "$root/run"
    cd "$root" || exit
    pivot_root . mnt
    umount -l mnt
    exec env -i container=lab PATH="$PATH" /lib/systemd/systemd --unit=multi-user.target
}

boot() {
    unshare --pid --fork --kill-child --mount --net --uts --ipc --cgroup \
        bash -c "root=$root; $(declare -f enter_root); enter_root" >"$work/console" 2>&1 </dev/null &
    container=$!
    until systemd=$(pgrep -P "$container") && inside test -S /run/systemd/private; do
        sleep 0.2
        [ -d "/proc/$container" ] || ! cat "$work/console" || return
    done 2>/dev/null
    inside systemctl is-system-running --wait || ! inside systemctl --failed
}

# A container that powers off dies of SIGINT.
shut_down() {
    inside systemctl start --no-block --job-mode=replace-irreversibly poweroff.target
    fails 130 wait "$container"
}

inside() {
    nsenter --target "$systemd" --all -- "$@"
}

table_is() {
    inside ipvsadm -Sn >"$work/table" && diff <(printf '%s' "$1") "$work/table"
}

# What is said reaches the journal a moment later.
journal() {
    inside journalctl --sync && inside journalctl -u ipvsadm
}

# It fails for a unit that has.
status() {
    inside journalctl --sync && inside systemctl status --lines=20 ipvsadm
}

# unit_is ACTIVE ENABLED, as systemctl's is-active and is-enabled print them.
unit_is() {
    diff <(printf '%s\n' "$@") <(inside systemctl is-active ipvsadm; inside systemctl is-enabled ipvsadm)
}

# The start that the unit has been active since.
started() {
    inside systemctl show ipvsadm --property=ActiveEnterTimestampMonotonic
}
