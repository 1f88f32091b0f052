//! many.
