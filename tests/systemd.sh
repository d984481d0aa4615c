#!/bin/bash
# The Debian package and its unit under a running systemd, see container.sh.
#
#   make deb
#   tests/lab/lab run -- tests/systemd.sh target/ipvsadm_*.deb
#
# Prints "ok" or "FAILED" for each check; exit status 1 if any failed.
# shellcheck disable=SC2317 # the checks are called by name

set -u
deb=$(readlink -f "${1:?say which package}")
# shellcheck source=tests/checks.sh
. "$(dirname "$0")/checks.sh" "$deb"

# shellcheck source=tests/container.sh
. "$(dirname "$0")/container.sh"

rules=$root/etc/ipvsadm.rules
settings=$root/etc/default/ipvsadm

check "a root file system for systemd" make_root
cp "$deb" "$root/var/tmp/package.deb"
chroot "$root" dpkg -P ldirectord >/dev/null # needs ipvsadm
printf '# my rules\n%s' "$saved" >"$rules"
set_up true master
keep rules cat "$rules"
keep settings cat "$settings"
# Debian 13's unit does not wait for the network.
wait=$root/etc/systemd/system/ipvsadm.service.d/wait.conf
mkdir "$(dirname "$wait")"
printf '[Unit]\nWants=network-online.target\nAfter=network-online.target\n' >"$wait"

echo "== Debian's package, in use"
check "systemd is up" boot
check "the service is active" unit_is active enabled
check "its rules are loaded" table_is "$saved"
check "its sync daemon runs" says '^master' inside ipvsadm -L --daemon
check "a rule that is not saved" inside ipvsadm -A -t 10.0.0.3:80
rm -r "$(dirname "$wait")"
inside systemctl daemon-reload

echo "== over Debian's package"
check "the package is installed without a question" inside apt-get install -y /var/tmp/package.deb
check "it is ours" says rust inside ipvsadm -v
check "so is the unit" says '^ExecStart=.*ipvsadm-service' inside systemctl cat ipvsadm
check "it is active and enabled" unit_is active enabled
check "systemd has no warning" silent_about Warning inside systemctl status ipvsadm
check "the rules are kept" same rules cat "$rules"
check "the settings are kept" same settings cat "$settings"
check "the table is as it was" table_is "$unsaved"
check "the sync daemon runs" says '^master' inside ipvsadm -L --daemon
check "disable" inside systemctl disable ipvsadm
check "the package again" inside dpkg -i /var/tmp/package.deb
check "the unit is active, and still disabled" unit_is active disabled
check "enable" inside systemctl enable ipvsadm

echo "== a reboot"
check "systemd ends" shut_down
check "and is up again" boot
check "the table was cleared at the end" says 'table cleared' journal
check "the unit is active" unit_is active enabled
check "the rules are loaded" table_is "$saved"
check "the sync daemon runs" says '^master.*sync0, syncid=9' inside ipvsadm -L --daemon

echo "== reload, stop, start, restart"
conns() {
    inside ipvsadm -Ln --stats -t 10.0.0.1:80 | awk '$2 == "10.0.0.1:80" { print $3 }'
}
# The kernel adds counters up every two seconds.
counted() {
    local tries
    for tries in {1..50}; do
        [ "$(conns)" != "$1" ] || return 0
        sleep 0.2
    done
    ! echo "not counted after $tries looks"
}
inside ip address add 10.0.0.1/32 dev lo
inside timeout 3 bash -c '</dev/tcp/10.0.0.1/80' 2>/dev/null
check "a connection" counted 1
inside ipvsadm -A -t 10.0.0.3:80
inside ipvsadm -d -t 10.0.0.1:80 -r 10.0.0.2:80
check "reload" inside systemctl reload ipvsadm
check "makes good what was changed" table_is "$saved"
check "and clears nothing" says 1 conns
check "stop" inside systemctl stop ipvsadm
check "the unit is inactive" unit_is inactive enabled
check "the table is cleared" table_is ''
check "no sync daemon runs" silent_about master inside ipvsadm -L --daemon
check "start" inside systemctl start ipvsadm
check "the unit is active" unit_is active enabled
check "the rules are loaded" table_is "$saved"
check "the sync daemon runs" says '^master.*syncid=9' inside ipvsadm -L --daemon
sed -i s/9/7/ "$settings"
inside ipvsadm -A -t 10.0.0.3:80
check "restart" inside systemctl restart ipvsadm
check "the rules are loaded" table_is "$saved"
check "the sync daemon is another" says '^master.*syncid=7' inside ipvsadm -L --daemon
check "the init script stops the unit" inside /etc/init.d/ipvsadm stop
check "it is inactive" unit_is inactive enabled
check "the init script starts it" inside /etc/init.d/ipvsadm start
check "it is active" unit_is active enabled
check "restarts in a row" inside sh -c 'for i in 1 2 3 4 5 6 7 8; do systemctl restart ipvsadm || exit; done'
set_up false both
check "restart without AUTO" inside systemctl restart ipvsadm
check "leaves the table alone" table_is "$saved"
check "starts both daemons" says '^backup' inside ipvsadm -L --daemon
check "stop without AUTO" inside systemctl stop ipvsadm
check "leaves the table alone" table_is "$saved"

echo "== inside the unit's limits"
# It answers every question for an IPv4 address with 10.0.0.2.
name_server='
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
while True:
    query, client = server.recvfrom(512)
    end = query.index(0, 12) + 5
    found = query[end - 4:end - 2] == b"\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\0\0\2" if found else b""
    server.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([found]) + b"\0\0\0\0" + query[12:end] + answer, client)
'
# The kernel loads no blacklisted module by itself.
without_modules() {
    echo 'blacklist ip_vs' >/etc/modprobe.d/ipvs.conf
    local module
    for module in $(grep -o '^ip_vs_[^ ]*' /proc/modules) ip_vs; do
        rmmod "$module" || return
    done
}
check "systemd finds the unit's exposure low" inside systemd-analyze security --threshold=40 ipvsadm
check "a start has a limit" says '=5min$' inside systemctl show ipvsadm --property=TimeoutStartUSec
set_up true none
inside systemctl start ipvsadm
sed -i s/10.0.0.2/server.test/ "$rules"
echo nameserver 127.0.0.1 >"$root/etc/resolv.conf"
inside systemd-run --unit=names --quiet python3 -c "$name_server"
check "a name server answers" inside timeout 60 sh -c 'until getent ahostsv4 server.test; do sleep 0.2; done'
check "stop" inside systemctl stop ipvsadm
check "no module is loaded" without_modules
check "start loads modules, and asks name servers" eval 'inside systemctl start ipvsadm || ! status'
check "the rules are loaded" table_is "$saved"
inside systemctl stop ipvsadm names
rm /etc/modprobe.d/ipvs.conf
cp "$work/rules" "$rules"

echo "== wrong rules"
wrong() {
    printf '%s-A -t nonsense\n' "$saved" | sed s/10.0.0.2/10.0.0.4/ >"$rules"
}
set_up true master
inside systemctl start ipvsadm
wrong
for action in reload restart start; do
    check "$action fails" refuses inside systemctl $action ipvsadm
    check "it changes nothing" table_is "$saved"
    check "the sync daemon runs" says '^master' inside ipvsadm -L --daemon
    check "the status says why" says 'line 3: ' status
done
check "the journal tells of the restart" says 'nothing is stopped' journal
check "the unit has failed" unit_is failed enabled
cp "$work/rules" "$rules"
check "with right rules, it starts" inside systemctl start ipvsadm
wrong
check "with wrong ones, it stops" inside systemctl stop ipvsadm
check "the table is cleared" table_is ''
cp "$work/rules" "$rules"
set_up true master

echo "== the first steps"
# The journal's reader remembers how far it got.
serve() {
    local status=0
    inside journalctl --sync
    inside journalctl -q -u ipvsadm --cursor-file=/run/heard >/dev/null
    inside systemctl "$1" ipvsadm || status=$?
    inside journalctl --sync
    inside journalctl -q -o cat -u ipvsadm --cursor-file=/run/heard
    return "$status"
}
first_steps
set_up true master

echo "== metrics for node_exporter"
textfiles=$root/var/lib/prometheus/node-exporter
metrics=$textfiles/ipvs.prom
# What Debian's node_exporter brings.
chroot "$root" useradd --system --home /nonexistent prometheus
chroot "$root" sh -c "mkdir /var/lib/prometheus && install -d -o prometheus /var/lib/prometheus/node-exporter"
metrics_are_written() {
    local tries
    for tries in {1..100}; do
        [ -e "$metrics" ] && return
        sleep 0.2
    done
    inside systemctl status ipvsadm-metrics.timer ipvsadm-metrics.service
    ! echo "no file after $tries looks"
}
measure() {
    inside systemctl start ipvsadm-metrics.service
}
metrics_say() {
    inside journalctl --sync
    inside journalctl -o cat -u ipvsadm-metrics.service
}
alone() {
    diff <(inside ls -A "${textfiles#"$root"}") <(basename "$metrics")
}
inside systemctl start ipvsadm
check "the timer is off" says '^disabled$' inside systemctl is-enabled ipvsadm-metrics.timer
check "and does not run" fails 3 inside systemctl is-active ipvsadm-metrics.timer
check "systemd finds the unit's exposure low" inside systemd-analyze security --threshold=25 ipvsadm-metrics
check "enable it" inside systemctl enable --now ipvsadm-metrics.timer
check "it writes a file" metrics_are_written
check "that is whole" says '^# EOF$' tail -n 1 "$metrics"
check "and has the counters, which only netlink tells" grep -q '^ipvs_service_connections_total{.*"10.0.0.1"' "$metrics"
check "for all to read, by an ordinary user" says '^644 prometheus$' chroot "$root" stat -c '%a %U' /var/lib/prometheus/node-exporter/ipvs.prom
check "and nothing beside it" alone
inside systemctl stop ipvsadm-metrics.timer
keep metrics cat "$metrics"
inside mount -t tmpfs -o size=4k full "${textfiles#"$root"}"
inside chown prometheus "${textfiles#"$root"}"
inside sh -c "echo old >${metrics#"$root"}"
check "into a full folder it cannot" refuses measure
check "it says so" says 'No space left' metrics_say
check "the old file stays" says '^old$' inside cat "${metrics#"$root"}"
check "and nothing beside it" alone
inside umount "${textfiles#"$root"}"
check "it can again" measure
mv "$textfiles" "$textfiles.away"
check "without a folder it cannot" refuses measure
check "it says so" says 'node-exporter.*No such file' metrics_say
mv "$textfiles.away" "$textfiles"
at_once() {
    local each failed=0 all=()
    for each in {1..8}; do
        inside setpriv --reuid prometheus --ambient-caps +net_admin --inh-caps +net_admin \
            /usr/libexec/ipvsadm/ipvsadm-metrics /var/lib/prometheus/node-exporter/ipvs.prom &
        all[each]=$!
    done
    for each in "${all[@]}"; do
        wait "$each" || failed=1
    done
    return "$failed"
}
check "eight at once" at_once
check "the file is whole" says '^# EOF$' tail -n 1 "$metrics"
check "and nothing beside it" alone
check "the timer again" inside systemctl start ipvsadm-metrics.timer

echo "== an upgrade from ourselves"
inside systemctl start ipvsadm
inside ipvsadm -A -t 10.0.0.3:80
keep started started
check "the package again" inside dpkg -i /var/tmp/package.deb
check "the table is as it was" table_is "$unsaved"
check "the sync daemon runs" says '^master' inside ipvsadm -L --daemon
check "the unit is active and enabled" unit_is active enabled
check "it was not restarted" same started started
check "the metrics' timer is active" eval 'inside systemctl is-active ipvsadm-metrics.timer || ! inside systemctl status ipvsadm-metrics.timer'

echo "== removal"
table_is_gone() {
    fails 1 grep -q 0A000001 "/proc/$systemd/net/ip_vs"
}
check "removed" inside dpkg -r ipvsadm
check "the service was stopped" table_is_gone
check "nothing is active" fails 3 inside systemctl is-active ipvsadm ipvsadm-metrics.timer
check "after a reboot, the init script has done nothing" eval 'shut_down && boot && table_is_gone'
check "installed again" inside dpkg -i /var/tmp/package.deb
check "the rules are loaded" table_is "$saved"
check "the unit is active and enabled" unit_is active enabled
check "purged" inside dpkg -P ipvsadm
check "the service was stopped" table_is_gone
check "systemd knows no unit" fails 4 inside systemctl status ipvsadm
leftovers() {
    inside find / -xdev -name '*ipvsadm*' -not -path '/var/log/*' -not -path '/tmp/*' \
        -not -path "$repository"
    inside systemctl list-unit-files --no-legend 'ipvsadm*'
}
check "nothing is left" refuses says . leftovers
check "systemd ends" shut_down

finish
