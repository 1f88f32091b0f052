//! What the backend promises beyond the contract.
