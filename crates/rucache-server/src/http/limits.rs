//! What one client may ask of the service and cannot be set, so that none can take it from the
//! others.

use std::time::Duration;

/// Longest path and query, in bytes: RFC 9110 asks for 8,000 at least.
pub(super) const URI: usize = 8 * 1024;

/// Bytes that a connection may hold unread or unsent, beside bodies.
pub(super) const BUFFER: usize = 64 * 1024;

/// Most names or numbers on a page.
pub(super) const PAGE: usize = 10_000;

/// Names or numbers on a page that does not say how many.
pub(super) const PAGE_DEFAULT: usize = 1_000;

/// Time for the whole head of a request to come in, and for the next one to begin on a connection
/// that is kept alive.
pub(super) const HEAD_READ: Duration = Duration::from_secs(5);

/// Time for the whole body of a request to come in.
pub(super) const BODY_READ: Duration = Duration::from_secs(10);

/// Time without a single byte taken by a client that has a response to read.
pub(super) const WRITE_STALL: Duration = Duration::from_secs(30);

/// Pause after a connection could not be accepted, mostly for lack of file descriptors.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// Time in which a service that is to stop still takes requests, saying with each answer that the
/// connection ends with it: whoever is about to send one learns it by an answer.
pub(super) const DRAIN: Duration = Duration::from_millis(500);

/// Time for requests under way to end when the service stops. Supervisors commonly kill after 10 s.
pub(super) const GRACE: Duration = Duration::from_millis(7_500);

/// Time to write down what was counted last, when the service stops.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);
