//! Series: as many as can be named, however many numbers are asked for.

use std::collections::BTreeSet;

use rucache::ruc::{Answer, Reason, ReasonKind, Ruc, Taxpayer};
use rucache::{Key, ServiceName, Ttl};

use super::service::{Service, Source};

/// What the design allows in all.
const MOST: usize = 3_000;

/// Numbers that a batch asks for.
const WINDOW: u64 = 5_000;

/// Asks for `numbers` distinct numbers, of which half exist, in more services than are told apart;
/// and marks some for every reason that there is, and for reasons that somebody typed.
async fn ask_for(numbers: u64) -> Service {
    let service = Service::with(Source::new(|ruc| match ruc.as_u64() % 2 {
        0 => Answer::found(Taxpayer::builder(ruc).build()),
        _ => Answer::NotFound,
    }))
    .await;
    for from in (0..numbers).step_by(usize::try_from(WINDOW).expect("small")) {
        let name = format!("service-{}", from / WINDOW % 200);
        let rucs = service.app.rucs(Some(&ServiceName::new(&name).expect("a name")));
        let window: Vec<Ruc> = (from..numbers.min(from + WINDOW))
            .map(|number| Ruc::from_first_ten(2_000_000_000 + number).expect("a number"))
            .collect();
        assert_eq!(rucs.lookup_many(&window).await.len(), window.len());
    }
    for number in 0..200 {
        let key = Key::parse(&format!("other-{number}:entry")).expect("a key");
        service.cache.set(&key, &number, Ttl::SHORT).await.expect("stored");
    }
    let typed = (0..50).map(|number| format!("typed by hand, {number}"));
    let known = ReasonKind::ALL.iter().map(|kind| kind.as_str().to_owned());
    for (number, reason) in (0..).zip(known.chain(typed)) {
        let ruc = Ruc::from_first_ten(1_500_000_000 + number).expect("a number").to_string();
        let rucs = service.app.rucs(None);
        rucs.mark_invalid(&ruc, Reason::new(reason), None).await.expect("marked");
    }
    service
}

async fn check(numbers: u64) {
    let service = ask_for(numbers).await;
    let first = service.get("/metrics").await.body;
    let series = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    };
    let before = series(&first);
    println!("{numbers} numbers: {} series", before.len());
    assert!(before.len() < MOST, "{} series", before.len());
    let digits = |text: &str| {
        let runs = text.split(|c: char| !c.is_ascii_digit());
        runs.filter(|run| run.len() == 11).map(str::to_owned).collect::<Vec<_>>()
    };
    let shown: Vec<_> = before.iter().flat_map(|series| digits(series)).collect();
    assert_eq!(shown, [""; 0], "no label holds a number");
    // More of the same adds no series.
    let rucs = service.app.rucs(None);
    let more = (0..WINDOW).map(|number| Ruc::from_first_ten(1_000_000_000 + number).expect("one"));
    rucs.lookup_many(&more.collect::<Vec<_>>()).await;
    let after = series(&service.get("/metrics").await.body);
    let new: Vec<_> = after.difference(&before).filter(|series| !series.contains("migo")).collect();
    assert_eq!(new, Vec::<&String>::new());
    assert!(after.len() < MOST, "{} series", after.len());
}

#[tokio::test]
async fn two_hundred_thousand_numbers_make_under_three_thousand_series() {
    check(200_000).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn five_million_numbers_make_under_three_thousand_series() {
    check(5_000_000).await;
}
