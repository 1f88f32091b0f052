//! The contract, clause by clause.

mod batches;
mod counters;
mod entries;
mod fences;
mod keys;
mod leases;
mod limits;
mod listeners;
mod maps;
mod maps_large;
mod markers;
mod nature;
mod notes;
mod preconditions;
mod threads;
mod ttls;
mod versions;

use crate::Clause;

/// Every clause, from the simple to the involved.
pub fn clauses() -> impl Iterator<Item = Clause> {
    let files = [
        nature::CLAUSES,
        entries::CLAUSES,
        versions::CLAUSES,
        preconditions::CLAUSES,
        ttls::CLAUSES,
        batches::CLAUSES,
        limits::CLAUSES,
        keys::CLAUSES,
        leases::CLAUSES,
        fences::CLAUSES,
        notes::CLAUSES,
        counters::CLAUSES,
        markers::CLAUSES,
        maps::CLAUSES,
        maps_large::CLAUSES,
        listeners::CLAUSES,
    ];
    files.into_iter().flatten().copied()
}
