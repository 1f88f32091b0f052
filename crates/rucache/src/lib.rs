//! Taxpayer look-up cache for Peru: one facade over rucache's crates.
