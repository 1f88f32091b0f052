//! Four processes and one cold key: this program again, in other roles.

use std::time::Duration;

use rucache::{Cache, Ttl};
use rucache_testkit::{Fleet, Member, Parent};
use tokio::task::JoinSet;

use crate::arena::{Arena, Context, Site, open, pause};
use crate::report::Report;

const URL: &str = "RUCACHE_FAULTS_URL";
const MEMCACHED: &str = "RUCACHE_FAULTS_MEMCACHED";

const PROCESSES: usize = 4;

/// Callers of each process at once.
const CALLERS: usize = 64;

/// Cold keys, one after the other.
const ROUNDS: usize = 5;

/// How long each load takes: enough for all to come.
const LOAD: Duration = Duration::from_millis(300);

/// A process that is told a name, asks for it many times at once, and says how often it had to load.
pub(crate) async fn obey(mut parent: Parent) {
    let site = if std::env::var_os(MEMCACHED).is_some() { Site::Memcached } else { Site::Redis };
    let cache = open(site, &std::env::var(URL).unwrap()).await;
    parent.send("ready");
    while let Some(name) = parent.receive() {
        let loads = ask(&cache, &name).await;
        parent.send(&loads.to_string());
    }
}

async fn ask(cache: &Cache, name: &str) -> u64 {
    let loads = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (cache, name, loads) = (cache.clone(), name.to_owned(), loads.clone());
        callers.spawn(async move {
            let load = move || async move {
                loads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                pause(LOAD).await;
                Ok::<_, std::io::Error>(1_u64)
            };
            cache.get_or_load(&name[..], Ttl::MEDIUM, load).await.unwrap()
        });
    }
    callers.join_all().await;
    loads.load(std::sync::atomic::Ordering::Relaxed)
}

pub(crate) async fn one_cold_key(context: Context) -> Report {
    let arena = Arena::start(&context);
    let scheme = if context.site == Site::Memcached { "memcached" } else { "redis" };
    let url = format!("{scheme}://{}?timeout=2s&connect_timeout=2s", arena.proxy.address());
    let mut variables = vec![(URL, url)];
    if context.site == Site::Memcached {
        variables.push((MEMCACHED, "1".to_owned()));
    }
    let fleet = Fleet::of_test("processes");
    let spawn = |number: usize| fleet.spawn(&number.to_string(), variables.clone());
    let members: Vec<Member> = (0..PROCESSES).map(spawn).collect();
    members.iter().for_each(|member| assert_eq!(member.receive(), "ready"));
    let mut report = Report::default();
    for round in 0..ROUNDS {
        members.iter().for_each(|member| member.send(&format!("cold_{round}")));
        let loads: u64 =
            members.iter().map(|member| member.receive().parse::<u64>().unwrap()).sum();
        report.reads += (PROCESSES * CALLERS) as u64;
        report.must(loads == 1, || format!("{loads} loads of key {round}"));
    }
    members.into_iter().for_each(Member::join);
    report
}
