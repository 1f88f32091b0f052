//! The decorators keep the contract when they are calm.
fn main() {}
