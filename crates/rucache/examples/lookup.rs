//! Who is this RUC, and may I invoice it? `cargo run -p rucache --example lookup -- 20131312955`

use rucache::ruc::Fitness;
use rucache::ruc::Outcome::{Found, Invalid, NotFound, Unavailable};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = rucache::open_default().await?;
    let rucs = cache.ruc("migo");
    let asked: Vec<String> = std::env::args().skip(1).filter(|text| text.len() == 11).collect();
    let asked = if asked.is_empty() { vec!["20131312955".to_owned()] } else { asked };
    for (text, lookup) in asked.iter().zip(rucs.lookup_texts(&asked).await) {
        match lookup.outcome {
            Found(found) => {
                let name = found.record.nombre_o_razon_social().unwrap_or("(no name)");
                match found.record.fitness() {
                    Fitness::Fit => println!("{text}: {name}, fit for a factura"),
                    Fitness::Unfit(why) => println!("{text}: {name}, not fit: {why:?}"),
                }
            }
            NotFound(verdict) => println!("{text}: no such taxpayer ({})", verdict.reason),
            Invalid(error) => println!("{text}: {error}"),
            Unavailable(why) => println!("{text}: nobody could tell ({:?})", why.cause),
        }
    }
    Ok(())
}
