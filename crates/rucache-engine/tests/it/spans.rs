//! Spans: of what goes beyond the local tier, with nothing that names an entry.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use rucache_core::{ErrorKind, Operation};
use rucache_engine::Accept;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::HOUR;
use crate::site::{Site, Told};

const NAME: &str = "ruc_20131312955";

thread_local! {
    /// What is traced on this thread, where a test wants it.
    static TRACED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Takes lines down for the thread they come from.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TRACED.with_borrow_mut(|traced| {
            if let Some(traced) = traced {
                traced.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each span that ends in `act`, with its parents before it.
fn traced(act: impl FnOnce()) -> Vec<String> {
    static SUBSCRIBED: Once = Once::new();
    // For the whole process: whether a span is wanted is remembered across its threads.
    SUBSCRIBED.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_span_events(FmtSpan::CLOSE)
            .with_ansi(false)
            .without_time()
            .with_writer(|| Lines)
            .init();
    });
    TRACED.set(Some(Vec::new()));
    act();
    let text = String::from_utf8(TRACED.take().unwrap()).unwrap();
    assert!(!text.contains("20131312955"), "{text}");
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn assert_one(lines: &[String], parts: &[&str]) {
    let found = lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count();
    assert_eq!(found, 1, "{parts:?} in {lines:#?}");
}

#[test]
fn look_up_says_how_it_was_answered_and_holds_the_calls_to_the_backend() {
    let site = Site::new();
    let [first, second] = [site.process(Told::Always), site.process(Told::Always)];
    let load = async || Ok::<_, String>(7_u32);
    let lines = traced(|| {
        let read = first.cache.get_or_load(NAME, HOUR, load);
        assert_eq!(site.runtime.block_on(read).unwrap(), 7);
        site.runtime.run_until_stalled();
    });
    let look_up = "look_up{operation=\"get_or_load\" service=\"default\" keys=1";
    let answered = "coalesced=false tier=\"origin\" outcome=\"miss\"}";
    assert_one(&lines, &[look_up, answered, "rucache::look_up: close"]);
    let call = "backend_call{otel.kind=\"client\" db.system.name=";
    assert_one(&lines, &[look_up, call, "db.operation.name=\"get\"", "otel.name=get "]);
    assert_one(&lines, &[look_up, call, "db.operation.name=\"write\""]);

    let lines = traced(|| {
        let read = second.cache.get_or_load(NAME, HOUR, load);
        assert_eq!(site.runtime.block_on(read).unwrap(), 7);
        site.runtime.run_until_stalled();
    });
    assert_one(&lines, &["look_up{", "tier=\"shared\" outcome=\"hit\"}", "look_up: close"]);
}

#[test]
fn local_hit_has_no_span() {
    let site = Site::new();
    let process = site.process(Told::Always);
    site.runtime.block_on(process.cache.set(NAME, &7_u32, HOUR)).unwrap();
    assert_eq!(site.runtime.block_on(process.cache.get::<u32>(NAME)).unwrap(), Some(7));
    let lines = traced(|| {
        site.runtime.block_on(async {
            let read = process.cache.read::<u32>(NAME, Accept::Fresh).await;
            assert!(read.unwrap().is_some());
            let load = async || Err::<u32, _>("never asked");
            assert_eq!(process.cache.get_or_load(NAME, HOUR, load).await.unwrap(), 7);
        });
    });
    assert_eq!(lines, [""; 0]);
}

#[test]
fn failed_call_says_how_and_its_look_up_that_nothing_was_found() {
    let site = Site::new();
    let process = site.process(Told::Always);
    process.link.fail(Operation::Get, ErrorKind::Timeout);
    let lines = traced(|| {
        let read = process.cache.read::<u32>(NAME, Accept::Fresh);
        assert!(site.runtime.block_on(read).unwrap().is_none());
    });
    assert_one(&lines, &["backend_call{", "otel.status_code=\"ERROR\" error.type=\"timeout\""]);
    assert_one(
        &lines,
        &["look_up{operation=\"get\"", "outcome=\"miss\"}: rucache::look_up: close"],
    );
}
