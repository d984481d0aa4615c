# shellcheck shell=bash
# A running systemd or OpenRC: the first process of a container in the lab's
# machine, on a copy of its root file system and in a network namespace, so with
# an IPVS table, that is new at each boot. tests/systemd.sh, tests/rpm.sh and
# tests/openrc.sh source this, after checks.sh.
# shellcheck disable=SC2034,SC2154,SC2317 # they set, use and call the rest

root=$work/root
# A file system that outlives the boots.
copy_root() {
    mkdir "$work/space" "$root"
    mount -t tmpfs space "$work/space"
    mkdir "$work/space/upper" "$work/space/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$work/space/upper,workdir=$work/space/work" "$root"
}

make_root() {
    copy_root
    # Without an id, systemd would take this for its first boot and enable all.
    systemd-machine-id-setup --root="$root"
    mkdir "$root/var/log/journal"
    # What makes a root's init systemd, to Debian's scripts: systemd-sysv.
    ln -s /lib/systemd/systemd "$root/sbin/init"
    ln -s /bin/systemctl "$root/sbin/runlevel"
    systemctl --root="$root" mask getty.target
    systemctl --root="$root" --quiet disable bird keepalived
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

# In openrc's runlevels nothing else; the network is there before they are.
make_openrc_root() {
    copy_root
    rm -f "$root"/etc/runlevels/*/*
    cat >"$root/etc/init.d/network" <<'END'
#!/sbin/openrc-run
depend() {
    provide net
}
start() {
    ip link add sync0 type dummy || return 0
    ip address add 10.99.0.1/24 dev sync0
    ip link set sync0 up
    ip route add 10.0.0.0/24 dev sync0
}
stop() {
    :
}
END
    chmod 755 "$root/etc/init.d/network"
    ln -s /etc/init.d/network "$root/etc/runlevels/boot/network"
}

# What a container has before its init, which is $1, and the rest.
enter_root() {
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=755 run "$root/run"
    cd "$root" || exit
    pivot_root . mnt
    umount -l mnt
    exec env -i PATH="$PATH" "$@"
}

enter() {
    unshare --pid --fork --kill-child --mount --net --uts --ipc --cgroup \
        bash -c "root=$root; $(declare -f enter_root); enter_root $*" >"$work/console" 2>&1 </dev/null &
    container=$!
}

boot() {
    enter env container=lab /lib/systemd/systemd --unit=multi-user.target
    until systemd=$(pgrep -P "$container") && inside test -S /run/systemd/private; do
        sleep 0.2
        [ -d "/proc/$container" ] || ! cat "$work/console" || return
    done 2>/dev/null
    inside systemctl is-system-running --wait || ! inside systemctl --failed
}

# OpenRC's last runlevel is reached when the program that starts it has ended.
boot_openrc() {
    enter env container=lxc /sbin/openrc-init
    until systemd=$(pgrep -P "$container") && inside grep -q default /run/openrc/softlevel && ! inside pgrep -x openrc; do
        sleep 0.2
        [ -d "/proc/$container" ] || ! cat "$work/console" || return
    done >/dev/null 2>&1
}

shut_down_openrc() {
    inside openrc-shutdown --poweroff now
    fails 130 wait "$container"
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

# The test defines what "serve ACTION" is: what the service's own tool does and
# says, with what is logged meanwhile.

# heard COMMAND...: it succeeds, and what it says is kept.
heard() {
    "$@" >"$work/heard" 2>&1 || ! cat "$work/heard"
}

in_one_line() {
    [ "$(grep -c -e "$1" "$work/heard")" = 1 ] || ! cat "$work/heard"
}

# Monitoring looks for these words.
without_alarm() {
    ! grep -i -e fail -e error "$work/heard"
}

# What is done on a new machine, with SAVE as it is in $settings at the end.
first_steps() {
    set_up true none
    check "start" serve start
    check "stop" heard serve stop
    check "a start" heard serve start
    check "says that rules are loaded" in_one_line "rules loaded from ${rules#"$root"}"
    check "and nothing that sounds like a failure" without_alarm
    check "reload" heard serve reload
    check "neither does it" without_alarm
    check "restart" heard serve restart
    check "neither does it" without_alarm
    check "stop" heard serve stop
    check "neither does it" without_alarm
    mv "$rules" "$work/aside"
    check "without rules, a start" heard serve start
    check "says in a line how to write them" in_one_line "no rules to load: .*ipvsadm-save -n >"
    check "and nothing that sounds like a failure" without_alarm
    check "the table is empty" table_is ''
    check "a rule by hand" inside ipvsadm -A -t 10.0.0.3:80
    check "reload fails" says 'empty or missing' refuses serve reload
    check "it changes nothing" says 10.0.0.3 inside ipvsadm -Sn
    echo 'SAVE="true"' >>"$settings"
    check "with SAVE, a restart" heard serve restart
    check "saves the rule, and loads it" says 10.0.0.3 inside ipvsadm -Sn
    check "it is saved" grep -q 10.0.0.3 "$rules"
    set_up true none
    check "stop" serve stop
    : >"$rules"
    check "with an empty file, a start" heard serve start
    check "says in a line that it is" in_one_line "no rules to load: ${rules#"$root"} is empty"
    check "and nothing that sounds like a failure" without_alarm
    check "stop" serve stop
    printf '# none yet\n\n' >"$rules"
    check "with nothing but a comment, a start" heard serve start
    check "loads nothing" table_is ''
    check "and says nothing that sounds like a failure" without_alarm
    printf 'IPVS_SAVE_ON_STOP="yes"\nIPVS_SAVE_ON_RESTART="yes"\n' >>"$settings"
    check "with keys of Red Hat's old service, a restart" heard serve restart
    check "says in a line which is read" \
        in_one_line 'not read: IPVS_SAVE_ON_RESTART IPVS_SAVE_ON_STOP; the key is SAVE'
    check "and nothing that sounds like a failure" without_alarm
    check "stop" serve stop
    mv "$work/aside" "$rules"
    set_up true none
}
