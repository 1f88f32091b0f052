//! A whole backend from a simple store.
