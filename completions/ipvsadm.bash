# Completion of ipvsadm, ipvsadm-save, ipvsadm-restore and ipvstop for bash.
# Made from the option table by tests/docs/completions; do not edit.
# Works with bash-completion and without.

# The rules in the kernel, or nothing. While IPVS is not loaded, ipvsadm is not
# asked: it would load it.
_ipvsadm_rules() {
    [[ -e /proc/net/ip_vs ]] && command ipvsadm -Sn "${netns[@]}" 2>/dev/null
}

# The virtual services that rules name with the option $1; marks in hexadecimal
# where that is being typed.
_ipvsadm_services() {
    local found=''
    [[ $command == add-service ]] ||
        found=$(_ipvsadm_rules | sed -n "s/^-A $1 \([^ ]*\).*/\1/p")
    # shellcheck disable=SC2086 # numbers
    if [[ $found && $1 == -f && ${current#--*=} == 0[xX]* ]]; then
        printf '0x%x\n' $found
    else
        echo "$found"
    fi
}

# Addresses without their ports and brackets, each once.
_ipvsadm_addresses() {
    sed 's/:[0-9]*$//; s/^\[\(.*\)\]$/\1/' | sort -u
}

# The addresses of virtual services.
_ipvsadm_vips() {
    _ipvsadm_rules | sed -n 's/^-A -[tu-][^ ]* \([^ ]*\).*/\1/p' | _ipvsadm_addresses
}

# The real servers of the virtual service $1, as "-t 10.0.0.1:80", or of all; their
# hosts where those of any service are meant.
_ipvsadm_servers() {
    local found=''
    [[ $command == add-server ]] ||
        found=$(_ipvsadm_rules | grep -F -e "-a ${1:+$1 -r }" | sed 's/.* -r \([^ ]*\).*/\1/')
    case "$command ${words[*]} " in
        list\ * | save\ * | check\ * | *\ --all\ * | *\ --vip[\ =]*)
            _ipvsadm_addresses <<<"$found"
            ;;
        *) echo "$found" ;;
    esac
}

_ipvsadm_interfaces() {
    local path
    for path in /sys/class/net/*/; do
        path=${path%/}
        echo "${path##*/}"
    done
}

_ipvsadm_namespaces() {
    local path
    for path in /run/netns/*; do
        [[ -e $path ]] && echo "${path##*/}"
    done
}

# The options of the command $1.
_ipvsadm_options() {
    case $1 in
        add-service) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -s --scheduler -p --persistent -M --netmask --pe -o --ops -b --sched-flags -j --json --keep --without --ensure --dry-run --netns' ;;
        edit-service) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -s --scheduler -p --persistent -M --netmask --pe -o --ops -b --sched-flags -j --json --keep --without --dry-run --netns' ;;
        delete-service) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -j --json --ensure --dry-run --netns' ;;
        flush) echo '--netns' ;;
        list) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server -n --numeric --vip -c --connection --client --state --origin --by --top --timeout --daemon --stats --rate --thresholds --persistent-conn --tun-info -X --exact --nosort -j --json --openmetrics --watch --samples --syncid --netns' ;;
        add-server) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server -g --gatewaying -i --ipip -m --masquerading --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum -w --weight -x --u-threshold -y --l-threshold -j --json --keep --ensure --dry-run --netns' ;;
        delete-server) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server --drain --vip -j --json --ensure --all --dry-run --netns' ;;
        edit-server) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server -g --gatewaying -i --ipip -m --masquerading --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum -w --weight -x --u-threshold -y --l-threshold --drain --vip -j --json --keep --all --dry-run --netns' ;;
        set) echo '--netns' ;;
        start-daemon) echo '--mcast-interface --syncid --sync-maxlen --mcast-group --mcast-port --mcast-ttl --netns' ;;
        stop-daemon) echo '--syncid --netns' ;;
        restore) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 --vip -j --json --ensure --replace --dry-run --netns' ;;
        save) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server -n --numeric --vip --watch --samples --all --netns' ;;
        check) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server -n --numeric --vip -j --json --ignore --netns' ;;
        check-real-server) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 -r --real-server -g --gatewaying -i --ipip -m --masquerading --tun-type --tun-port --tun-nocsum --tun-csum --tun-remcsum -n --numeric -j --json --ignore --netns' ;;
        zero) echo '-t --tcp-service -u --udp-service --sctp-service -f --fwmark-service -6 --ipv6 --netns' ;;
    esac
}

_ipvsadm() {
    # bash cuts words at colons, so take the line apart again.
    local line=${COMP_LINE:0:COMP_POINT} IFS=$' \t\n'
    local -a words candidates
    read -ra words <<<"$line"
    [[ $line == *[[:blank:]] ]] && words+=('')
    local last=$((${#words[@]} - 1))
    local current=${words[last]}

    # --netns may stand before the command.
    local command='' first=1
    case ${words[1]} in
        --netns) first=3 ;;
        --netns=*) first=2 ;;
    esac
    case ${words[first]} in
        -A* | --add-service) command='add-service' ;;
        -E* | --edit-service) command='edit-service' ;;
        -D* | --delete-service) command='delete-service' ;;
        -C* | --clear) command='flush' ;;
        -R* | --restore) command='restore' ;;
        -S* | --save) command='save' ;;
        -a* | --add-server) command='add-server' ;;
        -e* | --edit-server) command='edit-server' ;;
        -d* | --delete-server) command='delete-server' ;;
        -L* | --list) command='list' ;;
        -l*) command='list' ;;
        -Z* | --zero) command='zero' ;;
        --set) command='set' ;;
        --start-daemon) command='start-daemon' ;;
        --stop-daemon) command='stop-daemon' ;;
        --check) command='check' ;;
        --check-real-server) command='check-real-server' ;;
        -h* | --help) command='help' ;;
        -v* | --version) command='version' ;;
    esac

    # The virtual service on the line, and the option before the cursor.
    local i option='' value='' service=''
    local -a netns
    for ((i = 1; i < last; i++)); do
        option=${words[i]} value=${words[i + 1]}
        if [[ $option == --*=* ]]; then
            value=${option#*=} option=${option%%=*}
        elif [[ $option =~ ^-[^-tufspMbrwxy]*([tufspMbrwxy])$ ]]; then
            option=-${BASH_REMATCH[1]}
        fi
        # Rules have marks in decimal.
        [[ $value =~ ^0[xX][0-9a-fA-F]{1,8}$ ]] && value=$((value))
        case $option in
            -t | --tcp-service) service="-t $value" ;;
            -u | --udp-service) service="-u $value" ;;
            --sctp-service) service="--sctp-service $value" ;;
            -f | --fwmark-service) service="-f $value" ;;
            -6 | --ipv6) service+=' -6' ;;
            --netns) netns=(--netns "$value") ;;
        esac
        [[ ${words[i]} == --*=* ]] && option=
    done
    local before=''
    if [[ $current == --*=* ]]; then
        option=${current%%=*} value=${current#*=} before=$option=
    fi

    local found
    case $option in
        --start-daemon) found='master backup' ;;
        --stop-daemon) found='master backup' ;;
        -t | --tcp-service) found=$(_ipvsadm_services -t) ;;
        -u | --udp-service) found=$(_ipvsadm_services -u) ;;
        --sctp-service) found=$(_ipvsadm_services --sctp-service) ;;
        -f | --fwmark-service) found=$(_ipvsadm_services -f) ;;
        -s | --scheduler) found='rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh' ;;
        -M | --netmask) return ;;
        --pe) found='sip' ;;
        -b | --sched-flags) found='sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3' before+=${value%"${value##*,}"} ;;
        -r | --real-server) found=$(_ipvsadm_servers "$service") ;;
        --tun-type) found='ipip gue gre' ;;
        --tun-port) return ;;
        -w | --weight) return ;;
        -x | --u-threshold) return ;;
        -y | --l-threshold) return ;;
        --vip) found=$(_ipvsadm_vips) ;;
        --client) return ;;
        --state) found='NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK UDP INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED S-SENT S-RECEIVED S-ACK-SENT REJECTED CLOSED ASSURED ERR!' before+=${value%"${value##*,}"} ;;
        --origin) found='local sync' before+=${value%"${value##*,}"} ;;
        --by) found='service server host client state protocol origin' before+=${value%"${value##*,}"} ;;
        --top) return ;;
        --ignore) found='no-servers no-weight all-full address-missing address-down network-on-loopback address-unusable forwarding-off server-unreachable server-not-on-link server-loopback sync-interface connections-full flags-ignored weights-ignored port-ignored server-past-director redirects tunnel-fragments quiescent-clients gone-servers nat-unseen drop-entry drop-packet secure-tcp sloppy-tcp counters-off table-small sync-same-id sync-version sync-missing no-address answers-arp announces-arp no-tunnel tunnel-down tunnel-filtered no-way-back not-listening' before+=${value%"${value##*,}"} ;;
        --samples) return ;;
        --mcast-interface) found=$(_ipvsadm_interfaces) ;;
        --syncid) return ;;
        --sync-maxlen) return ;;
        --mcast-group) return ;;
        --mcast-port) return ;;
        --mcast-ttl) return ;;
        --without) found='persistent netmask ops pe sched-flags' before+=${value%"${value##*,}"} ;;
        --netns) found=$(_ipvsadm_namespaces) ;;
        *)
            if ((last == 1 || last == first)); then
                found='-A --add-service -E --edit-service -D --delete-service -C --clear -R --restore -S --save -a --add-server -e --edit-server -d --delete-server -L --list -l -Z --zero --set --start-daemon --stop-daemon --check --check-real-server -h --help -v --version --netns'
            else
                found=$(_ipvsadm_options "$command")
            fi
            ;;
    esac

    # What stands before the last colon or equals sign is on the line already.
    local breaks=${COMP_WORDBREAKS//[^:=]/} typed='' candidate
    [[ $breaks ]] && typed=${current%"${current##*["$breaks"]}"}
    read -rd '' -a candidates <<<"$found"
    for candidate in "${candidates[@]}"; do
        [[ $candidate == -* && " ${words[*]:1:last-1} " == *" $candidate "* ]] && continue
        candidate=$before$candidate
        [[ $candidate == "$current"* ]] && COMPREPLY+=("${candidate#"$typed"}")
    done
}

_ipvsadm_small() {
    local words
    case $1 in
        *ipvsadm-save) words='-n --all --netns' ;;
        *ipvsadm-restore) words='--replace --dry-run --netns' ;;
        *) words='-b --batch --hosts --vip -r --real-server -d --delay -n --samples -N --netns -h --help -V --version' ;;
    esac
    case $3 in
        --netns | -N) words=$(_ipvsadm_namespaces) ;;
        --vip) words=$(_ipvsadm_vips) ;;
        --real-server | -r) words=$(command=list _ipvsadm_servers '') ;;
    esac
    read -rd '' -a COMPREPLY < <(compgen -W "$words" -- "$2")
}

complete -F _ipvsadm ipvsadm
complete -F _ipvsadm_small ipvsadm-save ipvsadm-restore ipvstop
