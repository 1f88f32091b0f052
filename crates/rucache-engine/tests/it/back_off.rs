//! back_off.
