//! Look-up APIs behind the built program: fakes that speak like them, real servers beside them.

mod stand;

mod demo;
mod dry_run;
mod fleet;
mod minute;
mod order;
mod quiet;
mod rates;
mod registered;
mod settings;
mod trouble;
