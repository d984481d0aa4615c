#compdef ipvsadm ipvsadm-save ipvsadm-restore ipvstop
# Completion of ipvsadm, ipvsadm-save, ipvsadm-restore and ipvstop for zsh.
# Made from the option table by tests/docs/completions; do not edit.

# The rules in the kernel, or nothing. While IPVS is not loaded, ipvsadm is not
# asked: it would load it.
_ipvsadm_rules() {
    local i=${words[(I)--netns*]}
    local -a netns
    ((i)) && netns=(${(Q)words[i]})
    [[ $netns == --netns ]] && netns+=(${(Q)words[i+1]})
    [[ -e /proc/net/ip_vs ]] && command ipvsadm -Sn $netns 2>/dev/null
}

# The virtual services that rules name with the option $1; marks in hexadecimal
# where that is being typed.
_ipvsadm_services() {
    local -a found expl
    [[ $command == add-service ]] ||
        found=(${(f)"$(_ipvsadm_rules | sed -n "s/^-A $1 \([^ ]*\).*/\1/p")"})
    [[ $1 == -f && $PREFIX == 0[xX]* ]] && ((#found)) &&
        found=(${(f)"$(printf '0x%x\n' $found)"})
    _wanted services expl 'virtual service' compadd -a found
}

# The addresses of virtual services.
_ipvsadm_vips() {
    local -a found expl
    found=(${(f)"$(_ipvsadm_rules | sed -n 's/^-A -[tu-][^ ]* \([^ ]*\).*/\1/p')"})
    found=(${(u)${${found%:*}#\[}%\]})
    _wanted addresses expl 'virtual IP address' compadd -a found
}

# The real servers of the virtual service on the line, or of all; their hosts where
# those of any service are meant.
_ipvsadm_servers() {
    local valued=@LETTERS@ vip mark i
    local -a found expl
    for ((i = 2; i < CURRENT; i++)); do
        case $words[i] in
            @SERVICES@
            (-6|--ipv6) vip+=' -6' ;;
        esac
    done
    # Rules have marks in decimal.
    mark=${${vip#-f }%% *}
    [[ $mark == 0[xX][[:xdigit:]]## ]] && vip="-f $((mark))${vip#-f $mark}"
    [[ $command == add-server ]] ||
        found=(${(f)"$(_ipvsadm_rules | grep -F -e "-a ${vip:+$vip -r }" | sed 's/.* -r \([^ ]*\).*/\1/')"})
    [[ $command == (list|save|check) || $service == ipvstop || -n ${words[(r)--(all|vip)*]} ]] &&
        found=(${(u)${${found%:*}#\[}%\]})
    _wanted servers expl 'real server' compadd -a found
}

_ipvsadm_interfaces() {
    local -a found=(/sys/class/net/*(-/N:t)) expl
    _wanted interfaces expl 'network interface' compadd -a found
}

_ipvsadm_namespaces() {
    local -a found=(/run/netns/*(N:t)) expl
    _wanted namespaces expl 'network namespace' compadd -a found
}

_ipvsadm() {
    # There is one command; each of them takes the others' place.
    local others='(@ALL@)'
    local command first=2
    local -a specs
    case $service in
        (ipvsadm-save)
            specs=(
                @SAVE@
            ) ;;
        (ipvsadm-restore)
            specs=(
                @RESTORE@
            ) ;;
        (ipvstop)
            specs=(
                @TOP@
            ) ;;
        (*)
            specs=(
                @FIRST@
            ) ;;
    esac
    # --netns may stand before the command.
    case $words[2] in
        (--netns) first=4 ;;
        (--netns=*) first=3 ;;
    esac
    [[ $service == ipvsadm ]] && ((CURRENT > first)) && case $words[first] in
        @COMMANDS@
    esac
    [[ $service == ipvsadm && -z $command ]] && specs+=(
        @NETNS@
    )
    @OPTIONS@
    _arguments -s -S : $specs
}

_ipvsadm "$@"
