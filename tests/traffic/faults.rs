//! When the network is not what the administrator thinks: ours answers as the
//! reference does.

use crate::Test;
use crate::cluster::calls::{shares, tally};
use crate::cluster::host::Host;
use crate::cluster::servers::Transport::Tcp;
use crate::cluster::table::eventually;
use crate::cluster::{Cluster, Family};
use crate::support::programs::REFERENCE;
use anyhow::Result;

pub const TESTS: &[Test] = &[
    ("real_server_dies", real_server_dies),
    (
        "daemon_on_an_interface_that_is_down",
        daemon_on_an_interface_that_is_down,
    ),
    ("address_that_does_not_exist", address_that_does_not_exist),
];

/// What a program says to each command: the command, status, both outputs.
fn answers(director: &Host, program: &str, commands: &[&str]) -> Result<Vec<String>> {
    let answer = |command: &&str| {
        let words: Vec<_> = command.split_whitespace().collect();
        let output = director.output(program, &words, "")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(format!(
            "{command}: {:?}\n{}{}",
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr)
        ))
    };
    commands.iter().map(answer).collect()
}

/// Gives the commands to the reference, then to ours, and gives the answers,
/// which must be the same.
fn same_answers(director: &Host, commands: &[&str]) -> Result<Vec<String>> {
    let [theirs, ours] =
        [REFERENCE, director.program()].map(|program| answers(director, program, commands));
    let (theirs, ours) = (theirs?, ours?);
    assert_eq!(ours, theirs);
    Ok(ours)
}

fn real_server_dies() -> Result<()> {
    let cluster = Cluster::masquerading(2)?;
    let web = Family::V4.web();
    cluster.serve(Family::V4, Tcp, 80)?;
    let set_up = "-A -t 203.0.113.128:80 -s rr
        -a -t 203.0.113.128:80 -r 10.0.0.11:80 -m
        -a -t 203.0.113.128:80 -r 10.0.0.12:80 -m\n";
    cluster.director.rules(set_up)?;
    let mut open = cluster.client.calls(4, Tcp, web)?;
    cluster.servers[0].ip("link set eth0 down")?;
    // The table does not notice: half of the calls find nobody.
    assert!(cluster.client.is_refused(Tcp, web) != cluster.client.is_refused(Tcp, web));
    let listing = same_answers(&cluster.director, &["-Ln -t 203.0.113.128:80", "-Sn"])?;
    assert!(
        listing[0].contains("-> 10.0.0.11:80                 Masq    1      "),
        "{}",
        listing[0]
    );
    // Taken out, edited, taken out again, and the others go on.
    let removal = [
        "-d -t 203.0.113.128:80 -r 10.0.0.11:80",
        "-d -t 203.0.113.128:80 -r 10.0.0.11:80",
        "-e -t 203.0.113.128:80 -r 10.0.0.11:80 -m -w 0",
        "-Ln",
        "-a -t 203.0.113.128:80 -r 10.0.0.11:80 -m",
    ];
    same_answers(&cluster.director, &removal)?;
    cluster
        .director
        .ipvsadm("-d -t 203.0.113.128:80 -r 10.0.0.11:80")?;
    assert_eq!(
        tally(&cluster.client.calls(2, Tcp, web)?),
        shares([("s2", 2)])
    );
    for call in open.iter_mut().filter(|call| call.server == "s2") {
        call.say(b"still here")?;
    }
    // Back again, with the connections that it had.
    cluster.servers[0].ip("link set eth0 up\nroute add default via 10.0.0.1\n")?;
    cluster
        .director
        .ipvsadm("-a -t 203.0.113.128:80 -r 10.0.0.11:80 -m")?;
    for call in open.iter_mut().filter(|call| call.server == "s1") {
        call.say(b"back again")?;
    }
    assert_eq!(
        tally(&cluster.client.calls(2, Tcp, web)?),
        shares([("s1", 1), ("s2", 1)])
    );
    Ok(())
}

fn daemon_on_an_interface_that_is_down() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    cluster.director.ip("link add idle type dummy\nlink add away type dummy\naddr add 10.9.0.1/24 dev away\nlink set away down\n")?;
    let commands = [
        // down and without address; down with an address; none of that name
        "--start-daemon master --mcast-interface idle",
        "--start-daemon backup --mcast-interface idle",
        "-L --daemon",
        "--stop-daemon master",
        "--stop-daemon backup",
        "--start-daemon master --mcast-interface away --syncid 3",
        "--start-daemon backup --mcast-interface away --mcast-group ff02::99 --mcast-port 9000",
        "-L --daemon",
        "--stop-daemon master --syncid 3",
        "--stop-daemon backup",
        "--start-daemon master --mcast-interface nosuch",
        "--start-daemon backup --mcast-interface nosuch --mcast-group ff02::99",
        "-L --daemon",
        "--stop-daemon master",
    ];
    let answers = same_answers(&cluster.director, &commands)?;
    assert!(answers[10].contains("Some(255)"), "{}", answers[10]);
    Ok(())
}

fn address_that_does_not_exist() -> Result<()> {
    let cluster = Cluster::masquerading(1)?;
    cluster.serve(Family::V4, Tcp, 80)?;
    // Neither the service nor the server is anybody's address.
    let commands = [
        "-A -t 192.0.2.77:80 -s rr",
        "-a -t 192.0.2.77:80 -r 10.0.0.77:80 -m",
        "-a -t 192.0.2.77:80 -r 10.0.0.1:80 -m",
        "-a -t 192.0.2.77:80 -r 224.0.0.5:80 -m",
        "-a -t 192.0.2.77:80 -r 255.255.255.255:80 -m",
        "-A -t [2001:db8::77]:80 -s rr",
        "-a -t [2001:db8::77]:80 -r [fd77::77]:80 -m",
        "-a -t [2001:db8::77]:80 -r [ff02::5]:80 -m",
        "-Ln",
        "-Lcn",
        "-D -t 192.0.2.78:80",
        "-C",
    ];
    let answers = same_answers(&cluster.director, &commands)?;
    assert!(
        answers[0].contains("Some(0)") && answers[10].contains("Some(255)"),
        "{answers:?}"
    );
    cluster
        .director
        .rules("-A -t 192.0.2.77:80 -s rr\n-a -t 192.0.2.77:80 -r 10.0.0.11:80 -m\n")?;
    let nowhere = "192.0.2.77:80".parse()?;
    assert!(
        cluster.client.is_refused(Tcp, nowhere),
        "nobody has the address"
    );
    cluster.director.ip("addr add 192.0.2.77/32 dev eth0")?;
    // Until somebody has; the client forgets its failure after a moment.
    let call = eventually(|| cluster.client.call(Tcp, nowhere))?;
    assert_eq!(call.server, "s1");
    Ok(())
}
