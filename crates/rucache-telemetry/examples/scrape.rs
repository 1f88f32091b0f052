//! Prints what a scrape of a cache shows that has seen one of everything:
//! `cargo run -p rucache-telemetry --example scrape | promtool check metrics`.

#[path = "../tests/it/every_event.rs"]
mod every_event;

fn main() {
    print!("{}", every_event::exporter().render());
}
