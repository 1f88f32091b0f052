//! How many reads travel together.

use crate::client::Item;
use crate::error::Trouble;

/// Names of one batch. More would make the first wait for the last.
const MAX_NAMES: usize = 512;

/// Bytes that a batch may bring, as far as can be told from those before it: long values would make
/// everybody who travels with them miss the deadline.
const MAX_LEN: usize = 512 * 1024;

/// How many names a batch may have, learnt from how long values have been.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Mean length of what stands under a name, in bytes; the last few batches count most.
    mean_len: usize,
}

impl Pace {
    pub(super) fn names(&self) -> usize {
        (MAX_LEN / self.mean_len.max(1)).clamp(1, MAX_NAMES)
    }

    pub(super) fn learn(&mut self, found: &[Result<Option<Item>, Trouble>]) {
        let len = |item: &Result<Option<Item>, Trouble>| match item {
            Ok(Some(item)) => item.value.len(),
            _ => 0,
        };
        let mean = found.iter().map(len).sum::<usize>() / found.len().max(1);
        // Up at once, down slowly: too short a batch costs less than too long a one.
        self.mean_len = mean.max((7 * self.mean_len + mean) / 8);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::node::Found;

    fn found(lens: &[usize]) -> Found {
        let item = |len: &usize| Item {
            value: Bytes::from(vec![0; *len]),
            flags: 0,
            cas: 1,
            left: None,
            stale: false,
            leased: false,
            won: false,
        };
        lens.iter().map(|len| Ok(Some(item(len)))).collect()
    }

    #[test]
    fn long_values_travel_in_small_batches() {
        let mut pace = Pace::default();
        assert_eq!(pace.names(), MAX_NAMES);
        pace.learn(&found(&[500, 600, 700]));
        assert_eq!(pace.names(), MAX_NAMES);
        pace.learn(&found(&[100_000, 300_000]));
        assert_eq!(pace.names(), 2);
        pace.learn(&found(&[1_000_000]));
        assert_eq!(pace.names(), 1);
        (0..100).for_each(|_| pace.learn(&found(&[500])));
        assert_eq!(pace.names(), MAX_NAMES);
    }

    #[test]
    fn nothing_found_is_short() {
        let mut pace = Pace::default();
        pace.learn(&Found::new());
        pace.learn(&[Ok(None), Err(Trouble::Deadline)]);
        assert_eq!(pace.names(), MAX_NAMES);
    }
}
