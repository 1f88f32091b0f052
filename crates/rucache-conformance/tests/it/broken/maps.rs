//! Maps, miscounted and mislisted.

use rucache_core::{Backend, Error, ErrorKind, Key, MapEntry, MapPage, Operation, Timestamp};

use super::{Broken, error, lock};

/// How slow a clock is that lets things live on.
const SLOW: u64 = 30_000;

/// A moment at which nothing has expired.
const BEFORE_ALL: Timestamp = Timestamp::from_millis(0);

impl Broken {
    fn now_for(&self, clause: &str, now: Timestamp) -> Timestamp {
        if self.breaks(clause) { BEFORE_ALL } else { now }
    }

    fn slow_for(&self, clause: &str, now: Timestamp) -> Timestamp {
        let slow = Timestamp::from_millis(now.as_millis() - SLOW);
        if self.breaks(clause) { slow } else { now }
    }

    /// Whether there are members, and none of them has expired.
    async fn is_all_alive(&self, map: &Key, now: Timestamp) -> Result<bool, Error> {
        let all = self.inner.map_len(map, BEFORE_ALL).await?;
        Ok(all > 0 && self.inner.map_len(map, now).await? == all)
    }

    pub(super) async fn put_members(
        &self,
        map: &Key,
        entries: &[MapEntry],
        now: Timestamp,
    ) -> Result<u64, Error> {
        lock(&self.maps).insert(map.clone());
        let all = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if self.breaks("concurrent_puts_lose_nothing") && self.other_thread_came_first(map) {
            return Ok(all);
        }
        if self.breaks("put_replaces_a_member")
            && let [entry] = entries
            && self
                .inner
                .map_page(map, None, usize::MAX, now)
                .await?
                .entries
                .iter()
                .any(|old| old.member == entry.member)
        {
            return Ok(0);
        }
        let count_all =
            self.breaks("put_counts_new_members") && self.is_all_alive(map, now).await?;
        let now = self.now_for("expired_member_is_new_when_put", now);
        if self.breaks("endless_member_stays") {
            // As if its milliseconds were multiplied past the end of 64 bits.
            let overflows = |entry: &&MapEntry| entry.expires.as_millis() > u64::MAX / 1_000;
            let left: Vec<_> = entries.iter().filter(|e| !overflows(e)).cloned().collect();
            return self.inner.map_put(map, &left, now).await;
        }
        if self.breaks("member_put_too_late_is_new_and_not_listed") {
            let alive: Vec<_> = entries.iter().filter(|e| e.expires > now).cloned().collect();
            return self.inner.map_put(map, &alive, now).await;
        }
        let new = self.inner.map_put(map, entries, now).await?;
        Ok(if count_all { all } else { new })
    }

    pub(super) async fn remove_members(
        &self,
        map: &Key,
        members: &[String],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let count_all = self.breaks("removal_counts_the_members_that_were_there")
            && self.is_all_alive(map, now).await?;
        let now = self.now_for("expired_member_is_not_there_when_removed", now);
        let removed = self.inner.map_remove(map, members, now).await?;
        let all = u64::try_from(members.len()).unwrap_or(u64::MAX);
        Ok(if count_all { all } else { removed })
    }

    pub(super) async fn page(
        &self,
        map: &Key,
        cursor: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<MapPage, Error> {
        let now = self.slow_for("expired_member_is_not_listed", now);
        if self.breaks("listing_comes_in_pages") {
            return self.inner.map_page(map, None, usize::MAX, now).await;
        }
        if self.breaks("listing_survives_changes") {
            // The cursor is a position, which moves when members before it go.
            let from = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
            let all = self.inner.map_page(map, None, usize::MAX, now).await?.entries;
            let next = (from + limit < all.len()).then(|| (from + limit).to_string());
            let entries = all.into_iter().skip(from).take(limit).collect();
            return Ok(MapPage { entries, next });
        }
        let mut page = self.inner.map_page(map, cursor, limit, now).await?;
        if self.breaks("members_are_listed_as_put") {
            for entry in &mut page.entries {
                entry.note.truncate(32);
            }
        }
        Ok(page)
    }

    pub(super) async fn count_members(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        let now = self.slow_for("expired_member_is_not_counted", now);
        let members = self.inner.map_len(map, now).await?;
        Ok(if self.breaks("large_map_is_listed_whole") { members.min(4_096) } else { members })
    }

    pub(super) async fn purge_members(&self, map: &Key, now: Timestamp) -> Result<u64, Error> {
        if self.breaks("missing_map_is_empty") && !lock(&self.maps).contains(map) {
            return Err(error(ErrorKind::Invalid, Operation::MapWrite));
        }
        if self.breaks("purge_drops_expired_members") {
            return Ok(0);
        }
        let dropped = self.inner.map_purge(map, now).await?;
        if self.breaks("purge_keeps_other_members") && dropped > 0 {
            self.inner.map_purge(map, Timestamp::from_millis(u64::MAX)).await?;
        }
        Ok(dropped)
    }
}
