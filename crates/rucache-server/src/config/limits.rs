//! What one client may ask of the service, as far as it can be set.

use std::time::Duration;

/// Limits that none can take the service from the others by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Longest body, in bytes.
    pub(crate) body: usize,
    /// Longest head of a request, request line included, in bytes.
    pub(crate) head: usize,
    /// Most numbers, keys or events in a request.
    pub(crate) batch: usize,
    /// Connections open at once; more wait to be accepted.
    pub(crate) connections: usize,
    /// Time for a request from its head to the head of its response.
    pub(crate) request: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Holds a batch of 10,000 numbers several times over.
            body: 1024 * 1024,
            head: 16 * 1024,
            batch: 10_000,
            // Below the 1,024 files that a process may usually have open.
            connections: 1_000,
            request: Duration::from_secs(30),
        }
    }
}
