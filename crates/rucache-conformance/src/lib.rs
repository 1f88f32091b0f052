//! The clauses every rucache backend keeps, as named tests.
