//! overload.
