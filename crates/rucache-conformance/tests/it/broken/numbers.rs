//! Counters and markers, miscounted.

use rucache_core::{Backend, Error, Key, Marker, MarkerRef, MarkerVersion, Ttl};

use super::{Broken, lock, only};

impl Broken {
    pub(super) async fn add(&self, counter: &Key, delta: u64, ttl: Ttl) -> Result<u64, Error> {
        let past = self.past(counter);
        if self.breaks("counter_lives_from_its_first_addition") {
            let most = i64::MAX.unsigned_abs();
            self.remember(counter, |past| past.total = most.min(past.total + delta));
            return Ok(self.past(counter).total);
        }
        let lost =
            self.breaks("concurrent_additions_all_count") && self.other_thread_came_first(counter);
        let delta = if lost { 0 } else { delta };
        let total = only(self.inner.add_many(&[(counter.clone(), delta)], ttl).await)?;
        if self.breaks("counter_is_no_entry") && past.counter_restarted {
            return Ok(delta);
        }
        if self.breaks("counter_stays_within_63_bits") && total == i64::MAX.unsigned_abs() {
            return Ok(1 << 63);
        }
        if self.breaks("counter_adds_up") && total < 1 << 60 {
            return Ok(total & u64::from(u32::MAX));
        }
        Ok(total)
    }

    pub(super) async fn marker(
        &self,
        reference: &MarkerRef,
        seed: MarkerVersion,
    ) -> Result<MarkerVersion, Error> {
        let marker = only(self.inner.markers(std::slice::from_ref(reference), seed).await)?;
        lock(&self.bumps).entry(reference.marker.clone()).or_default();
        let seeded_again = self.breaks("missing_marker_is_seeded_once")
            && seed.as_raw() == marker.as_raw() + 1_000;
        Ok(if seeded_again { seed } else { marker })
    }

    pub(super) async fn bump_one(&self, marker: &Marker, seed: MarkerVersion) -> Result<(), Error> {
        let known: Vec<_> = lock(&self.bumps).keys().cloned().collect();
        let bumps = *lock(&self.bumps).entry(marker.clone()).and_modify(|n| *n += 1).or_insert(1);
        let ignored = match marker {
            Marker::Root => self.breaks("bump_of_the_root_reaches_every_key"),
            _ => self.breaks("bump_makes_a_marker_grow") && bumps > 2,
        };
        if ignored {
            return Ok(());
        }
        let mut bumped = vec![marker.clone()];
        if self.breaks("bump_of_a_missing_marker_seeds_it") && !known.contains(marker) {
            bumped.push(marker.clone());
        }
        match marker {
            Marker::Service(service) if self.breaks("sibling_service_is_left_alone") => {
                bumped.extend(known.into_iter().filter(|known| {
                    let begins_alike = |sibling: &str| sibling.starts_with(service.as_str());
                    known != marker
                        && matches!(known, Marker::Service(known) if begins_alike(known.as_str()))
                }));
            }
            Marker::Tag(tag) if self.breaks("markers_of_one_service_do_not_meet") => {
                bumped.push(Marker::TagEpoch(tag.service_name()));
            }
            _ => {}
        }
        for answer in self.inner.bump(&bumped, seed).await {
            answer?;
        }
        Ok(())
    }
}
