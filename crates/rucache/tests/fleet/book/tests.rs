//! The judge itself, on histories made up.
