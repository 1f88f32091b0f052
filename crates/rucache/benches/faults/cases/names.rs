//! Names made to break something: each is stored and read as it is, or refused; none is taken for
//! another one, and none reaches the protocol.

use rucache::{CacheError, Ttl};

use super::limits::any;
use crate::arena::Context;
use crate::report::Report;

fn poison() -> Vec<String> {
    let mut names: Vec<String> = [
        "",
        " ",
        "a b",
        "a\r\nDEL canary\r\n",
        "a\r\nmd default:canary\r\n",
        "a\nset canary 0 0 1\r\nx\r\n",
        "\0",
        "a\0b",
        "\u{7f}",
        "%20",
        "%",
        "%2",
        "ñandú",
        "n\u{303}andu\u{301}",
        "🦙",
        ":",
        "default:canary",
        "a:b:c",
        "{canary}",
        "~r",
        "~s:default",
        "~l:{default:canary}",
        "~t:default:canary",
        "../../etc/passwd",
        "*",
        "canary",
        "Canary",
        "CANARY",
    ]
    .map(ToOwned::to_owned)
    .into();
    for len in [249, 250, 251, 1_000, 65_536] {
        names.push("x".repeat(len));
        names.push("ñ".repeat(len));
        names.push(format!("{}y", "x".repeat(len - 1)));
    }
    names
}

pub(crate) async fn poisonous(context: Context) -> Report {
    let (cache, _arena) = any(&context).await;
    let mut report = Report::default();
    let names = poison();
    let mut refused = Vec::new();
    for (number, name) in names.iter().enumerate() {
        match cache.set(&name[..], &(number as u64), Ttl::MEDIUM).await {
            Ok(written) => report.must(written == rucache::engine::Written::Done, || {
                format!("{:?}: {written:?}", shortened(name))
            }),
            Err(CacheError::Key(_)) => refused.push(number),
            Err(error) => report.must(false, || format!("{:?}: {error}", shortened(name))),
        }
    }
    for (number, name) in names.iter().enumerate() {
        report.reads += 1;
        match cache.get::<u64>(&name[..]).await {
            Ok(Some(read)) => report.wrong += u64::from(read != number as u64),
            Err(CacheError::Key(_)) if refused.contains(&number) => {}
            other => report.must(false, || format!("{:?}: {other:?}", shortened(name))),
        }
    }
    report.must_be_right();
    let well = cache.health().nodes_down.is_empty();
    report.must(well, || "the circuit opened".to_owned());
    report.note = format!("{} of {} refused", refused.len(), names.len());
    report
}

fn shortened(name: &str) -> String {
    name.chars().take(30).collect()
}
