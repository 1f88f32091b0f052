//! Maps with expiry.

use bytes::Bytes;
use rucache_core::{MapEntry, MapPage, Timestamp, Ttl};

use crate::clause::clauses;
use crate::failure::{holds, same};
use crate::{Env, Failure};

clauses! {
    /// A map that nobody has put anything into is empty, which is no error.
    fn missing_map_is_empty(env) {
        let (map, now) = (env.key("map")?, env.wall());
        same("page", env.map_page(&map, None, 10, now)?, MapPage::default())?;
        same("length", env.map_len(&map, now)?, 0)?;
        same("removed", env.map_remove(&map, &["a".into()], now)?, 0)?;
        same("purged", env.map_purge(&map, now)?, 0)?;
        same("nothing put", env.map_put(&map, &[], now)?, 0)
    }

    /// Members are listed as they were put: names and notes of up to 64 bytes, and their expiry.
    fn members_are_listed_as_put(env) {
        let (map, now) = (env.key("map")?, env.wall());
        let longest_note: Bytes = (0..64).map(|at| at * 4).collect();
        let mut put = vec![
            entry("20131312955", "", now.after(Ttl::LONG)),
            entry(&"m".repeat(64), longest_note, now.after(Ttl::LONG)),
            entry("a b:\r\n{ñ}", "\0", now.after(Ttl::MEDIUM)),
        ];
        same("put", env.map_put(&map, &put, now)?, 3)?;
        put.sort_by(|a, b| a.member.cmp(&b.member));
        same("members", members(env, now)?, put)?;
        same("length", env.map_len(&map, now)?, 3)
    }

    /// A put counts the members that are new.
    fn put_counts_new_members(env) {
        let (map, now) = (env.key("map")?, env.wall());
        let [a, b, c] = ["a", "b", "c"].map(|member| entry(member, "1", now.after(Ttl::LONG)));
        same("first", env.map_put(&map, &[a, b.clone()], now)?, 2)?;
        same("then", env.map_put(&map, &[b, c], now)?, 1)
    }

    /// A member that is put again has its new note and its new expiry.
    fn put_replaces_a_member(env) {
        let (map, now) = (env.key("map")?, env.wall());
        env.map_put(&map, &[entry("a", "old", now.after(Ttl::SHORT))], now)?;
        let new = entry("a", "new", now.after(Ttl::LONG));
        env.map_put(&map, std::slice::from_ref(&new), now)?;
        same("members", members(env, now)?, vec![new])
    }

    /// A removed member is gone, and a removal counts those that were there.
    fn removal_counts_the_members_that_were_there(env) {
        let (map, now) = (env.key("map")?, env.wall());
        let [a, b] = ["a", "b"].map(|member| entry(member, "", now.after(Ttl::LONG)));
        env.map_put(&map, &[a, b.clone()], now)?;
        same("removed", env.map_remove(&map, &["a".into(), "c".into()], now)?, 1)?;
        same("members", members(env, now)?, vec![b])?;
        same("removed again", env.map_remove(&map, &["a".into()], now)?, 0)
    }

    /// A member is not listed from its expiry on, while others are.
    fn expired_member_is_not_listed(env) {
        let now = env.wall();
        let alive = put_two(env, now)?;
        same("members", members(env, now.after(Ttl::SHORT))?, vec![alive])
    }

    /// A member is not counted from its expiry on, while others are.
    fn expired_member_is_not_counted(env) {
        let now = env.wall();
        put_two(env, now)?;
        let map = env.key("map")?;
        same("length", env.map_len(&map, now)?, 2)?;
        same("length later", env.map_len(&map, now.after(Ttl::SHORT))?, 1)
    }

    /// An expired member that is put again is new.
    fn expired_member_is_new_when_put(env) {
        let now = env.wall();
        put_two(env, now)?;
        let (map, then) = (env.key("map")?, now.after(Ttl::SHORT));
        let both = ["mortal", "alive"].map(|member| entry(member, "", now.after(Ttl::LONG)));
        same("put", env.map_put(&map, &both, then)?, 1)
    }

    /// An expired member that is removed was not there.
    fn expired_member_is_not_there_when_removed(env) {
        let now = env.wall();
        put_two(env, now)?;
        let both = ["mortal", "alive"].map(String::from);
        same("removed", env.map_remove(&env.key("map")?, &both, now.after(Ttl::SHORT))?, 1)
    }

    /// A member whose expiry has passed when it is put is new, and not listed.
    fn member_put_too_late_is_new_and_not_listed(env) {
        let (map, now) = (env.key("map")?, env.wall());
        let an_hour_ago = Timestamp::from_millis(now.as_millis().saturating_sub(3_600_000));
        let late = [entry("late", "", an_hour_ago), entry("later", "", Timestamp::from_millis(0))];
        same("put", env.map_put(&map, &late, now)?, 2)?;
        same("members", members(env, now)?, vec![])?;
        same("length", env.map_len(&map, now)?, 0)
    }

    /// A member may be put without an end: its expiry is that of 2^53 ms at least.
    fn endless_member_stays(env) {
        let (map, now) = (env.key("map")?, env.wall());
        env.map_put(&map, &[entry("endless", "", Timestamp::from_millis(u64::MAX))], now)?;
        let members = members(env, now)?;
        same("how many", members.len(), 1)?;
        let end = Timestamp::from_millis(1 << 53);
        holds("the expiry is far", members.iter().all(|member| member.expires >= end))
    }

    /// A purge drops the expired members and says how many.
    fn purge_drops_expired_members(env) {
        let now = env.wall();
        put_two(env, now)?;
        let (map, then) = (env.key("map")?, now.after(Ttl::SHORT));
        same("before the expiry", env.map_purge(&map, now)?, 0)?;
        same("purged", env.map_purge(&map, then)?, 1)?;
        same("purged again", env.map_purge(&map, then)?, 0)
    }

    /// A purge keeps the members that have not expired.
    fn purge_keeps_other_members(env) {
        let now = env.wall();
        let alive = put_two(env, now)?;
        let then = now.after(Ttl::SHORT);
        env.map_purge(&env.key("map")?, then)?;
        same("members", members(env, then)?, vec![alive])
    }

    /// A map and an entry of one name are two things, and so are two maps.
    fn map_is_no_entry(env) {
        let (map, other, now) = (env.key("map")?, env.key("map:00")?, env.wall());
        env.map_put(&map, &[entry("a", "", now.after(Ttl::LONG))], now)?;
        same("entry", env.read(&map)?, None)?;
        env.set(&map, "one")?;
        holds("the delete finds its entry", env.delete(&map)?)?;
        same("length", env.map_len(&map, now)?, 1)?;
        same("length of another", env.map_len(&other, now)?, 0)
    }
}

pub(super) fn entry(member: &str, note: impl Into<Bytes>, expires: Timestamp) -> MapEntry {
    MapEntry { member: member.to_owned(), note: note.into(), expires }
}

/// A map of two: `mortal` expires a minute after `now`, the one returned much later.
fn put_two(env: &Env, now: Timestamp) -> Result<MapEntry, Failure> {
    let alive = entry("alive", "note", now.after(Ttl::LONG));
    let mortal = entry("mortal", "note", now.after(Ttl::SHORT));
    env.map_put(&env.key("map")?, &[mortal, alive.clone()], now)?;
    Ok(alive)
}

/// The members of the map `map` in order.
fn members(env: &Env, now: Timestamp) -> Result<Vec<MapEntry>, Failure> {
    let mut members = Vec::new();
    let mut cursor = None;
    for _ in 0..10_000 {
        let page = env.map_page(&env.key("map")?, cursor.as_deref(), 100, now)?;
        members.extend(page.entries);
        cursor = page.next;
        if cursor.is_none() {
            members.sort_by(|a, b| a.member.cmp(&b.member));
            members.dedup();
            return Ok(members);
        }
    }
    Err(Failure::new("the listing has no end"))
}
