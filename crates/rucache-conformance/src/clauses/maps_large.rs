//! Maps of many members, and of many writers.

use std::collections::BTreeSet;

use rucache_core::{MapEntry, Ttl};

use super::maps::entry;
use super::threads::{THREADS, on_threads};
use crate::clause::clauses;
use crate::failure::{holds, same};
use crate::{Env, Failure};

/// More than one page of any store.
const MEMBERS: u32 = 5_000;

clauses! {
    /// A map of 5,000 is listed whole, page by page, and counted.
    fn large_map_is_listed_whole(env) {
        put_members(env)?;
        let (listed, _) = listing(env, |_| Ok(()))?;
        let wanted: BTreeSet<_> = (0..MEMBERS).map(|member| format!("m{member}")).collect();
        same("how many are missing", wanted.difference(&listed).count(), 0)?;
        same("how many are made up", listed.difference(&wanted).count(), 0)?;
        same("length", env.map_len(&env.key("map")?, env.wall())?, u64::from(MEMBERS))
    }

    /// A listing of many members comes in pages of about the size that was asked for.
    fn listing_comes_in_pages(env) {
        put_members(env)?;
        let (_, longest) = listing(env, |_| Ok(()))?;
        holds("no page of 250 has more than 1,000 members", longest <= 1_000)
    }

    /// A member that is there from the first page to the last is listed, whatever comes and goes.
    fn listing_survives_changes(env) {
        put_members(env)?;
        let (map, now) = (env.key("map")?, env.wall());
        let (listed, _) = listing(env, |page| {
            let gone = [format!("m{}", page * 7 % MEMBERS)];
            env.map_remove(&map, &gone, now)?;
            let come = entry(&format!("new{page}"), "", now.after(Ttl::LONG));
            env.map_put(&map, &[come], now).map(|_| ())
        })?;
        let stayed = (0..MEMBERS).filter(|member| !member.is_multiple_of(7));
        let missing = stayed.filter(|member| !listed.contains(&format!("m{member}")));
        same("how many that stayed are missing", missing.count(), 0)
    }

    /// Members put at the same time are all there.
    fn concurrent_puts_lose_nothing(env) {
        let (map, now) = (env.key("map")?, env.wall());
        on_threads(|thread| {
            (0..40).try_for_each(|member| {
                let entry = entry(&format!("{thread}_{member}"), "", now.after(Ttl::LONG));
                same("new", env.map_put(&map, &[entry], now)?, 1)
            })
        })?;
        same("length", env.map_len(&map, now)?, THREADS * 40)
    }
}

fn put_members(env: &Env) -> Result<(), Failure> {
    let (map, now) = (env.key("map")?, env.wall());
    let entry = |member| entry(&format!("m{member}"), "note", now.after(Ttl::LONG));
    let entries: Vec<MapEntry> = (0..MEMBERS).map(entry).collect();
    for entries in entries.chunks(1_000) {
        same("new members", env.map_put(&map, entries, now)?, 1_000)?;
    }
    Ok(())
}

/// The names listed in pages of about 250, and the length of the longest page. `between` is called
/// after each with its number.
fn listing(
    env: &Env,
    mut between: impl FnMut(u32) -> Result<(), Failure>,
) -> Result<(BTreeSet<String>, usize), Failure> {
    let (map, now) = (env.key("map")?, env.wall());
    let (mut listed, mut longest, mut cursor) = (BTreeSet::new(), 0, None);
    for number in 0..20_000 {
        let page = env.map_page(&map, cursor.as_deref(), 250, now)?;
        longest = longest.max(page.entries.len());
        listed.extend(page.entries.into_iter().map(|entry| entry.member));
        cursor = page.next;
        if cursor.is_none() {
            return Ok((listed, longest));
        }
        between(number)?;
    }
    Err(Failure::new("the listing has no end"))
}
