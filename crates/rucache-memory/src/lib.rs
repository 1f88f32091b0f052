//! In-process backend and typed local tier of rucache, on moka.
