//! Seeds of every configuration, and that they can be repeated.

mod replays;
mod seeds;
