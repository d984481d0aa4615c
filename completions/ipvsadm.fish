# Completion of ipvsadm, ipvsadm-save, ipvsadm-restore and ipvstop for fish.
# Made from the option table by tests/docs/completions; do not edit.

# The words on the line, without --netns before the command.
function __ipvsadm_words
    set -l words (commandline -opc)
    switch "$words[2]"
        case --netns
            set words $words[1] $words[4..]
        case '--netns=*'
            set words $words[1] $words[3..]
    end
    printf '%s\n' $words
end

# The command on the line, by its name.
function __ipvsadm_command
    set -l words (__ipvsadm_words)
    switch "$words[2]"
        case '-A*' --add-service
            echo add-service
        case '-E*' --edit-service
            echo edit-service
        case '-D*' --delete-service
            echo delete-service
        case '-C*' --clear
            echo flush
        case '-R*' --restore
            echo restore
        case '-S*' --save
            echo save
        case '-a*' --add-server
            echo add-server
        case '-e*' --edit-server
            echo edit-server
        case '-d*' --delete-server
            echo delete-server
        case '-L*' --list
            echo list
        case '-l*'
            echo list
        case '-Z*' --zero
            echo zero
        case --set
            echo set
        case --start-daemon
            echo start-daemon
        case --stop-daemon
            echo stop-daemon
        case --check
            echo check
        case --check-real-server
            echo check-real-server
        case '-h*' --help
            echo help
        case '-v*' --version
            echo version
    end
end

function __ipvsadm_first
    test (count (__ipvsadm_words)) -eq 1
end

function __ipvsadm_on
    set -l command (__ipvsadm_command)
    contains -- "$command" $argv
end

function __ipvsadm_after
    set -l words (commandline -opc)
    contains -- "$words[-1]" $argv
end

# The rules in the kernel, or nothing. While IPVS is not loaded, ipvsadm is not
# asked: it would load it.
function __ipvsadm_rules
    set -l words (commandline -opc)
    set -l netns (string match -- '--netns=*' $words)
    if set -l i (contains -i -- --netns $words)
        set netns --netns $words[(math $i + 1)]
    end
    test -e /proc/net/ip_vs; and command ipvsadm -Sn $netns 2>/dev/null
end

# The virtual services that rules name with the option $argv; marks in
# hexadecimal where that is being typed.
function __ipvsadm_services
    __ipvsadm_on add-service; and return
    set -l found (__ipvsadm_rules | string replace -rf -- "^-A $argv (\S+).*" '$1')
    test -n "$found"; or return
    set -l format '%s\n'
    if test "$argv" = -f; and string match -qr '^(--.*=)?0[xX]' -- (commandline -ct)
        set format '0x%x\n'
    end
    printf $format $found
end

# Addresses without their ports and brackets, each once.
function __ipvsadm_addresses
    test -n "$argv"; or return
    string replace -r -- ':[0-9]+$' '' $argv | string trim -c '[]' | sort -u
end

# The addresses of virtual services.
function __ipvsadm_vips
    set -l found (__ipvsadm_rules | string replace -rf -- '^-A -[tu-]\S* (\S+).*' '$1')
    __ipvsadm_addresses $found
end

# The real servers of the virtual service on the line, or of all; their hosts
# where those of any service are meant.
function __ipvsadm_servers
    __ipvsadm_on add-server; and return
    set -l words (commandline -opc)
    set -l vip
    for i in (seq 2 (count $words))
        switch $words[$i]
            case '-*t' --tcp-service
                set vip -t $words[(math $i + 1)]
            case '--tcp-service=*'
                set vip -t (string replace -r '^[^=]*=' '' -- $words[$i])
            case '-*u' --udp-service
                set vip -u $words[(math $i + 1)]
            case '--udp-service=*'
                set vip -u (string replace -r '^[^=]*=' '' -- $words[$i])
            case --sctp-service
                set vip --sctp-service $words[(math $i + 1)]
            case '--sctp-service=*'
                set vip --sctp-service (string replace -r '^[^=]*=' '' -- $words[$i])
            case '-*f' --fwmark-service
                set vip -f $words[(math $i + 1)]
            case '--fwmark-service=*'
                set vip -f (string replace -r '^[^=]*=' '' -- $words[$i])
            case -6 --ipv6
                set -a vip -6
        end
    end
    # Rules have marks in decimal.
    if string match -qr '^0[xX][0-9a-fA-F]{1,8}$' -- "$vip[2]"
        set vip[2] (printf '%d' $vip[2])
    end
    set -l start -a
    test -n "$vip"; and set start "-a $vip -r"
    set -l found (__ipvsadm_rules | grep -F -e "$start " | string replace -r '.* -r (\S+).*' '$1')
    test -n "$found"; or return
    if __ipvsadm_on list save check; or test "$words[1]" = ipvstop
        or string match -qr '^--(all|vip)(=|$)' -- $words
        __ipvsadm_addresses $found
    else
        printf '%s\n' $found
    end
end

function __ipvsadm_interfaces
    string match -r '[^/]+(?=/$)' -- /sys/class/net/*/
end

function __ipvsadm_namespaces
    string replace -r '.*/' '' -- /run/netns/*
end

# Words with commas between them.
function __ipvsadm_list
    set -l typed (commandline -ct | string replace -rf '^(-[^=]*=)?(.*,)?[^,]*$' '$2')
    printf "$typed%s\n" $argv
end

complete -c ipvsadm -f
complete -c ipvsadm -n __ipvsadm_first -s A -l add-service -d 'add a virtual service'
complete -c ipvsadm -n __ipvsadm_first -s E -l edit-service -d 'change a virtual service'
complete -c ipvsadm -n __ipvsadm_first -s D -l delete-service -d 'delete a virtual service with its real servers'
complete -c ipvsadm -n __ipvsadm_first -s C -l clear -d 'delete everything'
complete -c ipvsadm -n __ipvsadm_first -s R -l restore -d 'apply rules from standard input'
complete -c ipvsadm -n __ipvsadm_first -s S -l save -d 'print the table as rules'
complete -c ipvsadm -n __ipvsadm_first -s a -l add-server -d 'add a real server to a virtual service'
complete -c ipvsadm -n __ipvsadm_first -s e -l edit-server -d 'change a real server'
complete -c ipvsadm -n __ipvsadm_first -s d -l delete-server -d 'remove a real server'
complete -c ipvsadm -n __ipvsadm_first -s L -l list -d 'list the table, or one service; also -l'
complete -c ipvsadm -n __ipvsadm_first -s l
complete -c ipvsadm -n __ipvsadm_first -s Z -l zero -d 'set the counters of one or all services to zero'
complete -c ipvsadm -n __ipvsadm_first -l set -d 'set the session time-outs in seconds; 0 keeps one'
complete -c ipvsadm -n __ipvsadm_first -l start-daemon -d 'start a connection sync daemon'
complete -c ipvsadm -n '__ipvsadm_after --start-daemon' -a 'master backup'
complete -c ipvsadm -n __ipvsadm_first -l stop-daemon -d 'stop a connection sync daemon'
complete -c ipvsadm -n '__ipvsadm_after --stop-daemon' -a 'master backup'
complete -c ipvsadm -n __ipvsadm_first -l check -d 'find out why a service, or any service, does not answer'
complete -c ipvsadm -n __ipvsadm_first -l check-real-server -d 'the same, on a real server of the given service'
complete -c ipvsadm -n __ipvsadm_first -s h -l help -d 'print this help'
complete -c ipvsadm -n __ipvsadm_first -s v -l version -d 'print the version'
complete -c ipvsadm -n __ipvsadm_first -l netns -x -a '(__ipvsadm_namespaces)' -d 'a network namespace: a name as in ip netns, or a path'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service list add-server delete-server edit-server restore save check check-real-server zero' -s t -l tcp-service -x -a '(__ipvsadm_services -t)' -d 'TCP service host[:port]'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service list add-server delete-server edit-server restore save check check-real-server zero' -s u -l udp-service -x -a '(__ipvsadm_services -u)' -d 'UDP service host[:port]'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service list add-server delete-server edit-server restore save check check-real-server zero' -l sctp-service -x -a '(__ipvsadm_services --sctp-service)' -d 'SCTP service host[:port]'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service list add-server delete-server edit-server restore save check check-real-server zero' -s f -l fwmark-service -x -a '(__ipvsadm_services -f)' -d 'packets with a firewall mark, 1 to 4294967295 or 0x...'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service list add-server delete-server edit-server restore save check check-real-server zero' -s 6 -l ipv6 -d 'the mark is on IPv6 packets; after -f'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -s s -l scheduler -x -a 'rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh' -d 'rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh; default wlc'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -s p -l persistent -d 'a client keeps its server; default 360 seconds'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -s M -l netmask -x -d 'clients that persist together: IPv4 mask or IPv6 prefix length'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -l pe -x -a 'sip' -d 'persistence engine, such as sip'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -s o -l ops -d 'one-packet scheduling: each datagram on its own'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -s b -l sched-flags -x -a '(__ipvsadm_list sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3)' -d 'flags of the scheduler: sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3'
complete -c ipvsadm -n '__ipvsadm_on list add-server delete-server edit-server save check check-real-server' -s r -l real-server -x -a '(__ipvsadm_servers)' -d 'the real server, host[:port]'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -s g -l gatewaying -d 'forward by direct routing; the default'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -s i -l ipip -d 'forward through a tunnel'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -s m -l masquerading -d 'forward by network address translation'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -l tun-type -x -a 'ipip gue gre' -d 'the tunnel: ipip, gue, gre; default ipip'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -l tun-port -x -d 'the UDP port of a gue tunnel'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -l tun-nocsum -d 'gue and gre without checksum; the default'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -l tun-csum -d 'gue and gre with checksum'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server check-real-server' -l tun-remcsum -d 'gue with remote checksum'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server' -s w -l weight -x -d 'share of the connections, default 1; 0: no new ones'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server' -s x -l u-threshold -x -d 'upper threshold: no new connections once reached; 0: no limit'
complete -c ipvsadm -n '__ipvsadm_on add-server edit-server' -s y -l l-threshold -x -d 'lower threshold: new connections again below it'
complete -c ipvsadm -n '__ipvsadm_on delete-server edit-server' -l drain -d 'wait until no connection is open: with -d then remove, with -e --keep -w 0 not'
complete -c ipvsadm -n '__ipvsadm_on list save check check-real-server' -s n -l numeric -d 'addresses and ports as numbers'
complete -c ipvsadm -n '__ipvsadm_on list delete-server edit-server restore save check' -l vip -x -a '(__ipvsadm_vips)' -d 'only services at this address, host[/length][:port]'
complete -c ipvsadm -n '__ipvsadm_on list' -s c -l connection -d 'list the connections'
complete -c ipvsadm -n '__ipvsadm_on list' -l client -x -d 'with -c: only these clients, address[/length][:port]'
complete -c ipvsadm -n '__ipvsadm_on list' -l state -x -a '(__ipvsadm_list NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK UDP INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED S-SENT S-RECEIVED S-ACK-SENT REJECTED CLOSED ASSURED ERR!)' -d 'with -c: only these states, such as syn_recv,established'
complete -c ipvsadm -n '__ipvsadm_on list' -l origin -x -a '(__ipvsadm_list local sync)' -d 'with -c: only what was made by local, sync: this director, another one'
complete -c ipvsadm -n '__ipvsadm_on list' -l by -x -a '(__ipvsadm_list service server host client state protocol origin)' -d 'with -c: count by service, server, host, client, state, protocol, origin, client/LENGTH'
complete -c ipvsadm -n '__ipvsadm_on list' -l top -x -d 'with --by: only this many, the largest'
complete -c ipvsadm -n '__ipvsadm_on list' -l timeout -d 'list the session time-outs'
complete -c ipvsadm -n '__ipvsadm_on list' -l daemon -d 'list the sync daemons'
complete -c ipvsadm -n '__ipvsadm_on list' -l stats -d 'list the counters'
complete -c ipvsadm -n '__ipvsadm_on list' -l rate -d 'list the rates per second'
complete -c ipvsadm -n '__ipvsadm_on list' -l thresholds -d 'list the connection thresholds'
complete -c ipvsadm -n '__ipvsadm_on list' -l persistent-conn -d 'list persistent connections; with -c, persistence engine data'
complete -c ipvsadm -n '__ipvsadm_on list' -l tun-info -d 'list the tunnels'
complete -c ipvsadm -n '__ipvsadm_on list' -s X -l exact -d 'whole numbers, never 12345K'
complete -c ipvsadm -n '__ipvsadm_on list' -l nosort -d 'keep the kernel\'s order'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service list add-server delete-server edit-server restore check check-real-server' -s j -l json -d 'everything the kernel reports, or what was changed, as one JSON document'
complete -c ipvsadm -n '__ipvsadm_on list' -l openmetrics -d 'services and real servers as metrics for Prometheus; =node: as node_exporter has them'
complete -c ipvsadm -n '__ipvsadm_on check check-real-server' -l ignore -x -a '(__ipvsadm_list no-servers no-weight all-full address-missing address-down network-on-loopback address-unusable forwarding-off server-unreachable server-not-on-link server-loopback sync-interface connections-full flags-ignored weights-ignored port-ignored server-past-director redirects tunnel-fragments quiescent-clients gone-servers nat-unseen drop-entry drop-packet secure-tcp sloppy-tcp counters-off table-small sync-same-id sync-version sync-missing no-address answers-arp announces-arp no-tunnel tunnel-down tunnel-filtered no-way-back not-listening)' -d 'with --check: not these findings, ID or ID@SERVICE'
complete -c ipvsadm -n '__ipvsadm_on list save' -l watch -d 'list again and again; with -S, print changes as commands; default 2'
complete -c ipvsadm -n '__ipvsadm_on list save' -l samples -x -d 'with --watch: stop after this many looks'
complete -c ipvsadm -n '__ipvsadm_on start-daemon' -l mcast-interface -x -a '(__ipvsadm_interfaces)' -d 'where to send or listen; default eth0'
complete -c ipvsadm -n '__ipvsadm_on list start-daemon stop-daemon' -l syncid -x -d 'id shared by master and backup, 0 to 255; default 0'
complete -c ipvsadm -n '__ipvsadm_on start-daemon' -l sync-maxlen -x -d 'longest message; the kernel\'s default follows the MTU'
complete -c ipvsadm -n '__ipvsadm_on start-daemon' -l mcast-group -x -d 'multicast group; default 224.0.0.81'
complete -c ipvsadm -n '__ipvsadm_on start-daemon' -l mcast-port -x -d 'UDP port; default 8848'
complete -c ipvsadm -n '__ipvsadm_on start-daemon' -l mcast-ttl -x -d 'how far messages go; default 1'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service add-server edit-server' -l keep -d 'with -E and -e: leave everything not named as it is'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service' -l without -x -a '(__ipvsadm_list persistent netmask ops pe sched-flags)' -d 'with --keep: remove persistent, netmask, ops, pe, sched-flags'
complete -c ipvsadm -n '__ipvsadm_on add-service delete-service add-server delete-server restore' -l ensure -d 'with -A, -a: add, or edit if it differs; -D, -d: no error if absent; -R: the same of each line'
complete -c ipvsadm -n '__ipvsadm_on delete-server edit-server save' -l all -d 'with -S: also the session time-outs and sync daemons; with -e, -d: in all services'
complete -c ipvsadm -n '__ipvsadm_on restore' -l replace -d 'with -R: change only what differs from the rules'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service add-server delete-server edit-server restore' -l dry-run -d 'change nothing, print the commands that would run'
complete -c ipvsadm -n '__ipvsadm_on add-service edit-service delete-service flush list add-server delete-server edit-server set start-daemon stop-daemon restore save check check-real-server zero' -l netns -x -a '(__ipvsadm_namespaces)' -d 'a network namespace: a name as in ip netns, or a path'
complete -c ipvsadm-save -f
complete -c ipvsadm-save -s n -d 'addresses and ports as numbers'
complete -c ipvsadm-save -l all -d 'with -S: also the session time-outs and sync daemons; with -e, -d: in all services'
complete -c ipvsadm-save -l netns -x -a '(__ipvsadm_namespaces)' -d 'a network namespace: a name as in ip netns, or a path'
complete -c ipvsadm-restore -f
complete -c ipvsadm-restore -l replace -d 'with -R: change only what differs from the rules'
complete -c ipvsadm-restore -l dry-run -d 'change nothing, print the commands that would run'
complete -c ipvsadm-restore -l netns -x -a '(__ipvsadm_namespaces)' -d 'a network namespace: a name as in ip netns, or a path'
complete -c ipvstop -f
complete -c ipvstop -s b -l batch -d 'print plain text instead of filling the screen'
complete -c ipvstop -l hosts -d 'begin with hosts: real servers by address, over all services'
complete -c ipvstop -l vip -x -a '(__ipvsadm_vips)' -d 'only services at this address or network'
complete -c ipvstop -s r -l real-server -x -a '(__ipvsadm_servers)' -d 'only these real servers, and the services that have them'
complete -c ipvstop -s d -l delay -x -d 'the time between two looks, fractions allowed; default 2'
complete -c ipvstop -s n -l samples -x -d 'exit after this many updates'
complete -c ipvstop -s N -l netns -x -a '(__ipvsadm_namespaces)' -d 'a network namespace: a name as in ip netns, or a path'
complete -c ipvstop -s h -l help -d 'print this'
complete -c ipvstop -s V -l version -d 'print the version'
