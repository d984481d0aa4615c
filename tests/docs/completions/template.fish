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
        @COMMANDS@
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
            @SERVICES@
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
@FIRST@
@NETNS@
@OPTIONS@
complete -c ipvsadm-save -f
@SAVE@
complete -c ipvsadm-restore -f
@RESTORE@
complete -c ipvstop -f
@TOP@
