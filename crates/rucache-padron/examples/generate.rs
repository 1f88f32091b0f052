//! Writes an invented register of any size, its manifest beside it, and if asked for the next
//! day's snapshot.

use std::env;
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rucache_padron::{Generator, Population, Profile, Register, Revision};

const USAGE: &str = "\
usage: generate --out FILE [options]
  --out FILE         .zip for a zip, anything else for text; the manifest goes to FILE.manifest.json
  --lines N          lines after the header (default 1000)
  --seed N           what all chance comes from (default 0)
  --profile P        realistic (default) or hostile
  --population P     register (default), legal-entities or sample
  --next FILE        also write a second snapshot, and what changed to FILE.manifest.json
  --next-seed N      chance of the second snapshot (default 1)";

struct Plan {
    generator: Generator,
    out: PathBuf,
    next: Option<PathBuf>,
    next_seed: u64,
}

fn main() -> ExitCode {
    let done = plan(env::args().skip(1)).and_then(|plan| run(&plan));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Result<Plan, Box<dyn Error>> {
    let mut generator = Generator::new(1_000);
    let (mut out, mut next, mut next_seed) = (None, None, 1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let number = || value.parse().map_err(|_| format!("{flag}: {value:?} is no number"));
        match flag.as_str() {
            "--out" => out = Some(PathBuf::from(value)),
            "--lines" => generator.lines = number()?,
            "--seed" => generator.seed = number()?,
            "--next" => next = Some(PathBuf::from(value)),
            "--next-seed" => next_seed = number()?,
            "--profile" => {
                generator.profile = match value.as_str() {
                    "realistic" => Profile::Realistic,
                    "hostile" => Profile::Hostile,
                    _ => return Err(format!("--profile: {value:?} is unknown\n{USAGE}").into()),
                }
            }
            "--population" => {
                generator.population = match value.as_str() {
                    "register" => Population::Register,
                    "legal-entities" => Population::LegalEntities,
                    "sample" => Population::Sample,
                    _ => return Err(format!("--population: {value:?} is unknown\n{USAGE}").into()),
                }
            }
            _ => return Err(format!("{flag} is unknown\n{USAGE}").into()),
        }
    }
    let out = out.ok_or_else(|| format!("--out is missing\n{USAGE}"))?;
    Ok(Plan { generator, out, next, next_seed })
}

fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let out = File::create(&plan.out)?;
    let manifest = if is_zip(&plan.out) {
        plan.generator.write_zip(out)?
    } else {
        plan.generator.write_text(out)?
    };
    println!("{}: {} lines, {} bytes of text", plan.out.display(), manifest.lines, manifest.bytes);
    write_manifest(&plan.out, &manifest)?;
    let Some(next) = &plan.next else {
        return Ok(());
    };
    let first = Register::open(&plan.out)?;
    let revision = Revision::new(plan.next_seed);
    let out = File::create(next)?;
    let changes = if is_zip(next) {
        revision.write_zip(&first, out)?
    } else {
        revision.write_text(&first, out)?
    };
    println!(
        "{}: {} added, {} removed, {} changed",
        next.display(),
        changes.added.len(),
        changes.removed.len(),
        changes.changed.len()
    );
    write_manifest(next, &changes)
}

fn is_zip(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
}

fn write_manifest(beside: &Path, manifest: &impl serde::Serialize) -> Result<(), Box<dyn Error>> {
    let mut path = beside.as_os_str().to_owned();
    path.push(".manifest.json");
    Ok(serde_json::to_writer_pretty(File::create(path)?, manifest)?)
}
