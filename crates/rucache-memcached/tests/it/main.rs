//! The adapter against real servers and their faults.
