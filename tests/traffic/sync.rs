//! Two directors that share connections.

use crate::Test;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::eventually;
use crate::cluster::{Cluster, Family};
use anyhow::{Result, ensure};

pub const TESTS: &[Test] = &[
    ("backup_takes_over_connections", || {
        backup_takes_over_connections(&V4_GROUP)
    }),
    (
        "backup_takes_over_connections_through_an_ipv6_group",
        || backup_takes_over_connections(&V6_GROUP),
    ),
    ("it_is_told_who_made_a_connection", origins),
];

/// How the daemons talk, in ipvsadm's words and in nftables'.
struct Group {
    options: &'static str,
    listed: &'static str,
    packets: &'static str,
}

const V4_GROUP: Group = Group {
    options: "--syncid 7 --sync-maxlen 1000 --mcast-group 224.0.1.99 --mcast-port 9999 --mcast-ttl 3",
    listed: "syncid=7, maxlen=1000, group=224.0.1.99, port=9999, ttl=3",
    // The second byte of a message is the syncid.
    packets: "ip daddr 224.0.1.99 ip ttl 3 udp dport 9999 udp length <= 1008 @th,72,8 7",
};

const V6_GROUP: Group = Group {
    options: "--syncid 200 --sync-maxlen 1000 --mcast-group ff05::99 --mcast-port 8849 --mcast-ttl 5",
    listed: "syncid=200, maxlen=1000, group=ff05::99, port=8849, ttl=5",
    packets: "ip6 daddr ff05::99 ip6 hoplimit 5 udp dport 8849 udp length <= 1008 @th,72,8 200",
};

fn backup_takes_over_connections(group: &Group) -> Result<()> {
    let (cluster, standby) = Cluster::with_standby(2)?;
    let web = Family::V4.web();
    cluster.serve_virtual(&[(Tcp, web)])?;
    standby.nft(&format!(
        "table inet seen {{
            counter right {{ }}
            chain arriving {{ type filter hook prerouting priority -300; {} counter name right; }}
        }}",
        group.packets
    ))?;
    for (director, role) in [(&cluster.director, "master"), (&standby, "backup")] {
        director.rules(&format!(
            "-A -t {web} -s rr\n-a -t {web} -r 10.0.0.11\n-a -t {web} -r 10.0.0.12\n\
             --start-daemon {role} --mcast-interface eth0 {}\n",
            group.options
        ))?;
        let daemons = director.ipvsadm("-L --daemon")?;
        assert!(
            daemons.starts_with(&format!("{role} sync daemon (mcast=eth0, ")),
            "{daemons}"
        );
    }
    let daemons = cluster.director.ipvsadm("-L --daemon")?;
    assert_eq!(
        daemons,
        format!("master sync daemon (mcast=eth0, {})\n", group.listed)
    );

    let mut open = cluster.client.calls(4, Tcp, web)?;
    for call in &mut open {
        call.say(b"well before")?;
    }
    let own = cluster.director.connections()?;
    eventually(|| {
        let copied = standby.connections()?;
        let copied = copied
            .iter()
            .map(|c| (&c.source, &c.target, &c.server, &c.state));
        let own = own
            .iter()
            .map(|c| (&c.source, &c.target, &c.server, &c.state));
        ensure!(copied.clone().eq(own), "{:?}", copied.collect::<Vec<_>>());
        Ok(())
    })?;
    assert!(
        standby.counted("seen", "right")?.0 > 0,
        "no message is as it should be"
    );

    // The standby has the master's place; a connection it does not know of
    // breaks.
    standby.ipvsadm(&format!("--stop-daemon backup --syncid {}", syncid(group)))?;
    assert_eq!(standby.ipvsadm("-L --daemon")?, "");
    let mut unknown = cluster.client.call(Tcp, web)?;
    cluster.take_over(&standby)?;
    for call in &mut open {
        call.say(b"and after")?;
    }
    assert!(unknown.say(b"nobody knows me").is_err());
    let after = standby.connections()?;
    assert!(
        after
            .iter()
            .all(|connection| connection.state == "ESTABLISHED"),
        "{after:?}"
    );
    cluster
        .director
        .ipvsadm(&format!("--stop-daemon master --syncid {}", syncid(group)))?;
    assert_eq!(cluster.director.ipvsadm("-L --daemon")?, "");
    Ok(())
}

fn syncid(group: &Group) -> &str {
    group.options.split(' ').nth(1).unwrap_or_default()
}

fn origins() -> Result<()> {
    let (cluster, standby) = Cluster::with_standby(2)?;
    let web = Family::V4.web();
    cluster.serve_virtual(&[(Tcp, web)])?;
    for (director, role) in [(&cluster.director, "master"), (&standby, "backup")] {
        director.rules(&format!(
            "-A -t {web} -s rr\n-a -t {web} -r 10.0.0.11\n-a -t {web} -r 10.0.0.12\n\
             --start-daemon {role} --mcast-interface eth0 --syncid 9\n"
        ))?;
    }
    let mut open = cluster.client.calls(4, Tcp, web)?;
    for call in &mut open {
        call.say(b"well before")?;
    }
    let rows = |listing: String| listing.lines().skip(2).count();
    eventually(|| {
        let told = rows(standby.ipvsadm("-Lcn --origin sync")?);
        ensure!(told == 4, "{told}");
        Ok(())
    })?;
    for (host, own, other) in [
        (&cluster.director, "local", "sync"),
        (&standby, "sync", "local"),
    ] {
        let whole = host.ipvsadm("-Lcn --origin local,sync")?;
        let plain = host.ipvsadm("-Lcn")?;
        assert_eq!(rows(whole), rows(plain));
        assert_eq!(rows(host.ipvsadm(&format!("-Lcn --origin {own}"))?), 4);
        assert_eq!(rows(host.ipvsadm(&format!("-Lcn --origin {other}"))?), 0);
        let counts = host.ipvsadm("-Lcn --by origin")?;
        assert_eq!(
            counts.lines().nth(1).map(str::trim),
            Some(&*format!("4          0  {own}")),
            "{counts}"
        );
        let document = host.ipvsadm("-Lc --json --origin local,sync")?;
        let origin = format!("\"origin\":\"{own}\"");
        assert_eq!(document.matches(&origin).count(), 4, "{document}");
        let document = host.ipvsadm("-Lc --json")?;
        assert_eq!(document.matches("\"origin\":null").count(), 4, "{document}");
    }
    Ok(())
}
