//! Taxpayer look-ups through the rucache engine.
