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
        @OPTIONS@
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
        @COMMANDS@
    esac

    # The virtual service on the line, and the option before the cursor.
    local i option='' value='' service=''
    local -a netns
    for ((i = 1; i < last; i++)); do
        option=${words[i]} value=${words[i + 1]}
        if [[ $option == --*=* ]]; then
            value=${option#*=} option=${option%%=*}
        elif [[ $option =~ ^-[^-@LETTERS@]*([@LETTERS@])$ ]]; then
            option=-${BASH_REMATCH[1]}
        fi
        # Rules have marks in decimal.
        [[ $value =~ ^0[xX][0-9a-fA-F]{1,8}$ ]] && value=$((value))
        case $option in
            @SERVICES@
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
        @VALUES@
        *)
            if ((last == 1 || last == first)); then
                found='@FIRST@ --netns'
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
        *ipvsadm-save) words='@SAVE@' ;;
        *ipvsadm-restore) words='@RESTORE@' ;;
        *) words='@TOP@' ;;
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
