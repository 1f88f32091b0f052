//! What the clauses of the conformance suite do not reach: contention, foreign bytes, full buckets.
