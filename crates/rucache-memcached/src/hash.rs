//! The fixed hash that says where things are: the node of a name, the bucket of a member.

use crate::Server;

/// Bits of a bucket's number: a map has 4,096.
const BUCKET_BITS: u32 = 12;

/// Where `bytes` are, for ever: 64-bit FNV-1a, mixed by the finaliser of SplitMix64.
///
/// The standard library's hash may change with any release of Rust, and a changed hash loses every
/// entry of every deployment.
fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
}

const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The bucket of a map that `member` is in.
pub(crate) fn bucket_of(member: &str) -> u16 {
    u16::try_from(hash(member.as_bytes()) >> (64 - BUCKET_BITS)).unwrap_or_default()
}

/// Chooses the node of a name by rendezvous: the node whose score with the name is highest.
///
/// A node that leaves or comes moves its own names only, and the order of the list means nothing.
/// Nodes that are down are chosen all the same: a name that moved away would be met again, old, when
/// its node returns.
#[derive(Debug)]
pub(crate) struct Router {
    servers: Vec<u64>,
}

impl Router {
    pub(crate) fn new(servers: &[Server]) -> Self {
        Self { servers: servers.iter().map(|server| hash(server.as_str().as_bytes())).collect() }
    }

    /// The index of the node that holds `name`.
    pub(crate) fn node_of(&self, name: &[u8]) -> usize {
        if let [_] = self.servers[..] {
            return 0;
        }
        let name = hash(name);
        let score = |(_, server): &(usize, &u64)| (mix(name ^ **server), **server);
        self.servers.iter().enumerate().max_by_key(score).map_or(0, |(at, _)| at)
    }
}

#[cfg(test)]
mod tests;
