//! What `--check-real-server` reads.

use super::case;
use crate::cluster::Cluster;
use crate::cluster::Family as Addresses;
use crate::cluster::servers::Transport;
use anyhow::Result;

pub fn check_of_a_real_server() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let server = &cluster.servers[0];
    let vip = "10.0.0.100:80".parse()?;
    server.shell(
        "ip addr add 10.0.0.100/32 dev lo; \
         sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
    )?;
    let check = "--check-real-server -t 10.0.0.100:80 -g";
    let silent = server.check(check)?;
    assert!(silent.found.keys().eq(["not-listening"]), "{}", silent.text);
    server.serve(&[(Transport::Tcp, vip)])?;
    let vanish = "ip addr del 10.0.0.100/32 dev lo";
    case("no-address", vanish, "").run(server, check)?;
    // Each protocol and any address; not the loopback.
    server.serve(&[
        (Transport::Udp, "0.0.0.0:80".parse()?),
        (Transport::Sctp, vip),
        (Transport::Tcp, "127.0.0.1:80".parse()?),
    ])?;
    server.is_sound("--check-real-server -u 10.0.0.100:80")?;
    server.is_sound("--check-real-server --sctp-service 10.0.0.100:80 -r 10.0.0.11 -g")?;
    let said = server.check(check)?;
    assert!(said.found.keys().eq(["not-listening"]), "{}", said.text);
    assert!(said.text.contains("only on 127.0.0.1"), "{}", said.text);
    Ok(())
}

pub fn check_of_a_tunnelled_real_server() -> Result<()> {
    let cluster = Cluster::direct(1)?;
    let server = &cluster.servers[0];
    cluster.serve_virtual(&[(Transport::Tcp, Addresses::V4.web())])?;
    // It brings a device that accepts packets from anywhere.
    server.shell("modprobe ipip; ip link set tunl0 up")?;
    server.is_sound("--check-real-server -t 203.0.113.128:80 -i")?;
    server.shell(
        "ip link add t0 type ipip local 10.0.0.11 remote 10.0.0.1; ip link set tunl0 down",
    )?;
    server.shell("ip link set t0 up; sysctl -qw net.ipv4.conf.t0.rp_filter=0")?;
    let said = server.check("--check-real-server -t 203.0.113.128:80 -i")?;
    let note = "not checked: whether the director is 10.0.0.1: t0 accepts ";
    assert!(said.text.contains(note), "{}", said.text);
    Ok(())
}
