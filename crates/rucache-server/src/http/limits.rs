//! What one client may ask of the service, so that none can take it from the others.

use std::time::Duration;

/// Longest body, in bytes; holds a batch of [`BATCH`] numbers several times over.
pub(super) const BODY: usize = 1024 * 1024;

/// Most numbers in a batch.
pub(super) const BATCH: usize = 10_000;

/// Numbers that a streamed batch looks up together, and gives out together.
pub(super) const BATCH_WINDOW: usize = 250;

/// Windows of a streamed batch that are under way at once.
pub(super) const BATCH_WINDOWS: usize = 4;

/// Longest head of a request, request line included, in bytes.
pub(super) const HEAD: usize = 16 * 1024;

/// Longest path and query, in bytes: RFC 9110 asks for 8,000 at least.
pub(super) const URI: usize = 8 * 1024;

/// Bytes that a connection may hold unread or unsent, beside bodies.
pub(super) const BUFFER: usize = 64 * 1024;

/// Time for the whole head of a request to come in, and for the next one to begin on a connection
/// that is kept alive.
pub(super) const HEAD_READ: Duration = Duration::from_secs(5);

/// Time for the whole body of a request to come in.
pub(super) const BODY_READ: Duration = Duration::from_secs(10);

/// Time for a request from its head to the head of its response.
pub(super) const REQUEST: Duration = Duration::from_secs(30);

/// Time without a single byte taken by a client that has a response to read.
pub(super) const WRITE_STALL: Duration = Duration::from_secs(30);

/// Connections open at once; more wait to be accepted. Below the 1,024 files that a process may
/// usually have open.
pub(super) const CONNECTIONS: usize = 1_000;

/// Pause after a connection could not be accepted, mostly for lack of file descriptors.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Time for requests under way to end when the service stops. Supervisors commonly kill after 10 s.
pub(super) const GRACE: Duration = Duration::from_secs(9);
