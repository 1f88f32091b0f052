//! Free loopback ports for the servers of a row, and texts with those ports filled in.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use super::rows::Server;
use crate::failure::{Failure, Outcome};

/// The first port given out, and how many there are.
///
/// Below the ports that the test kit gives to its servers, and with [`BUS`] added still below those
/// that systems choose for outgoing connections (Linux: from 32,768).
const FIRST: u16 = 10_000;
const COUNT: u16 = 8_000;

/// How far from its port a node of a Redis Cluster listens for the other nodes.
const BUS: u16 = 10_000;

/// The ports of each group of servers, by the group's name.
pub(super) struct Ports(Vec<(&'static str, Vec<u16>)>);

impl Ports {
    /// Chooses ports that nobody listens on now.
    pub(super) fn choose(servers: &[Server]) -> Outcome<Self> {
        let mut numbers = candidates();
        // Each is held until all are chosen, so that none is given out twice.
        let mut held = Vec::new();
        let mut groups = Vec::new();
        for server in servers {
            let mut ports = Vec::new();
            while ports.len() < server.count {
                let number = numbers.next().ok_or_else(|| {
                    Failure::new(format!("no free port from {FIRST} on: are servers left behind?"))
                })?;
                if let Ok(sockets) = hold(number) {
                    held.push(sockets);
                    ports.push(number);
                }
            }
            groups.push((server.name, ports));
        }
        Ok(Self(groups))
    }

    /// Those of one group.
    pub(super) fn of(&self, name: &str) -> &[u16] {
        self.0.iter().find(|(own, _)| *own == name).map_or(&[], |(_, ports)| ports)
    }

    /// `template` with `{NAME}` and `{NAME.port}` filled in, several parted by `separator`.
    pub(super) fn fill(&self, template: &str, separator: &str) -> String {
        let mut text = template.to_owned();
        for (name, ports) in &self.0 {
            let join = |words: Vec<String>| words.join(separator);
            let addresses = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
            let numbers = ports.iter().map(u16::to_string).collect();
            text = text.replace(&format!("{{{name}}}"), &join(addresses));
            text = text.replace(&format!("{{{name}.port}}"), &join(numbers));
        }
        text
    }

    /// The same for the server that has the port `own`: `{port}` is filled in too.
    pub(super) fn fill_for(&self, own: u16, template: &str) -> String {
        self.fill(template, " ").replace("{port}", &own.to_string())
    }
}

/// All ports once, from a random one on: two rows started at once seldom try the same.
fn candidates() -> impl Iterator<Item = u16> {
    let count = u64::from(COUNT);
    let start = RandomState::new().hash_one(()) % count;
    let offsets = (0..count).map(move |step| (start + step) % count);
    offsets.filter_map(|offset| u16::try_from(offset).ok()).map(|offset| FIRST + offset)
}

/// UDP too: by that the test kit marks the port of a server that is down for a while.
fn hold(number: u16) -> io::Result<[(TcpListener, UdpSocket); 2]> {
    let both = |number| {
        let address = (Ipv4Addr::LOCALHOST, number);
        Ok::<_, io::Error>((TcpListener::bind(address)?, UdpSocket::bind(address)?))
    };
    Ok([both(number)?, both(number + BUS)?])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::rows::ROWS;
    use super::*;

    #[test]
    fn each_server_of_a_row_has_a_port_of_its_own_and_the_bus_port_with_it() {
        for row in ROWS {
            let Ports(groups) = Ports::choose(row.servers).unwrap();
            let ports: BTreeSet<u16> = groups.into_iter().flat_map(|(_, ports)| ports).collect();
            assert_eq!(ports.len(), row.server_count(), "{}", row.name);
            assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)), "{ports:?}");
        }
    }

    #[test]
    fn a_port_with_a_listener_is_not_given_out() {
        let number = candidates().find(|number| hold(*number).is_ok()).unwrap();
        let _foreign = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).unwrap();
        assert!(hold(number).is_err());
    }

    #[test]
    fn addresses_and_ports_are_filled_in() {
        let ports = Ports(vec![("primary", vec![1]), ("node", vec![2, 3])]);
        assert_eq!(ports.fill("redis://{node}/x", ","), "redis://127.0.0.1:2,127.0.0.1:3/x");
        assert_eq!(ports.fill("create {node} --yes", " "), "create 127.0.0.1:2 127.0.0.1:3 --yes");
        assert_eq!(
            ports.fill_for(9, "--port {port} --replicaof 127.0.0.1 {primary.port}"),
            "--port 9 --replicaof 127.0.0.1 1"
        );
        assert_eq!(ports.of("node"), [2, 3]);
    }

    #[test]
    fn no_place_of_any_row_stays_unfilled() {
        for row in ROWS {
            let ports = Ports::choose(row.servers).unwrap();
            let own = row.servers.iter().flat_map(|server| [server.args, server.file]);
            let own = own.map(|text| ports.fill_for(9, text));
            let shared = row.commands.iter().map(|line| ports.fill(line, " "));
            for text in own.chain(shared).chain([ports.fill(row.url, ",")]) {
                assert!(!text.contains(['{', '}']), "{}: {text}", row.name);
            }
        }
    }
}
