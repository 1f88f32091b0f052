//! Loopback ports that nobody else takes while a test uses them.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// The first port handed out, and how many there are.
///
/// Below the range from which systems choose the ports of outgoing connections (Linux: from 32,768),
/// so that none of those takes the port of a server that is down until it is restarted.
const FIRST: u16 = 18_000;
const COUNT: u16 = 14_000;

/// A loopback port held for a server, also while the server is down.
///
/// Held by a UDP socket of the same number: other processes with this kit see it, the TCP port stays
/// free for the server, and the system lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _held: UdpSocket,
}

impl Port {
    /// A port that is free now, chosen at random.
    ///
    /// # Panics
    ///
    /// When no port of the range is free.
    pub(crate) fn reserve() -> Self {
        let start = RandomState::new().hash_one(());
        (0..u64::from(COUNT))
            .map(|step| (start % u64::from(COUNT) + step) % u64::from(COUNT))
            .filter_map(|offset| u16::try_from(offset).ok())
            .find_map(|offset| Self::try_reserve(FIRST + offset))
            .unwrap_or_else(|| panic!("no free port from {FIRST} on: are servers left behind?"))
    }

    fn try_reserve(number: u16) -> Option<Self> {
        let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self { number, _held: held })
    }

    pub(crate) const fn number(&self) -> u16 {
        self.number
    }

    pub(crate) fn address(&self) -> SocketAddr {
        loopback(self.number)
    }
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_port_is_not_handed_out_again() {
        let port = Port::reserve();
        assert!(Port::try_reserve(port.number()).is_none());
        let number = port.number();
        drop(port);
        assert_eq!(Port::try_reserve(number).map(|port| port.number()), Some(number));
    }

    #[test]
    fn port_of_a_foreign_server_is_not_handed_out() {
        let port = Port::reserve();
        let number = port.number();
        let _foreign = TcpListener::bind(port.address()).unwrap();
        drop(port);
        assert!(Port::try_reserve(number).is_none());
    }

    #[test]
    fn reserved_port_is_free_for_its_server() {
        let port = Port::reserve();
        assert!(TcpListener::bind(port.address()).is_ok());
    }
}
