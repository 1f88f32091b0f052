//! Tests of taxpayer.
