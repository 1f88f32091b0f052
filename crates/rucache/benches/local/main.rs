//! A hit in the local tier, beside moka as one would use it by hand for the same job.
//!
//! Contenders take turns in short rounds within one run, so that a machine whose speed drifts
//! drifts for all; ratios are taken round by round.

mod contenders;
mod rounds;

use contenders::Contender;

fn main() {
    let contenders = contenders::all();
    println!("<!-- begin local -->");
    println!("{}", rounds::one_thread(&contenders));
    println!("{}", rounds::two_threads(&contenders));
    println!("<!-- end local -->");
}
