//! Leases, granted and honoured wrongly.

use rucache_core::{
    Backend, Companions, Error, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken, Precondition,
    Stored, Ttl, Version,
};

use super::past::{Act, Past};
use super::{Broken, only};

/// What every token looks like where no two should.
const CONSTANT: LeaseToken = LeaseToken::from_raw(77);

impl Broken {
    fn shown(&self, token: LeaseToken) -> LeaseToken {
        if self.breaks("no_two_leases_are_equal") { CONSTANT } else { token }
    }

    fn meant(&self, shown: LeaseToken, past: &Past) -> LeaseToken {
        let same_to_it = shown == CONSTANT || past.former_token == Some(shown);
        if same_to_it { past.token.unwrap_or(shown) } else { shown }
    }

    /// The condition under which a fill really happens.
    pub(super) fn misjudged_fill(
        &self,
        shown: LeaseToken,
        past: &Past,
        current: Option<&Stored>,
    ) -> Precondition {
        let token = self.meant(shown, past);
        let own = past.token == Some(token);
        let fresh = current.is_some_and(|stored| !stored.stale);
        if self.breaks("holder_may_fill") && fresh && past.last == Act::Lease {
            return Precondition::Version(Version::from_raw(0));
        }
        let happens = match past.last {
            Act::Lease if own && current.is_some() => {
                self.breaks("late_fill_over_an_entry_is_refused")
            }
            Act::Lease if own => self.breaks("fill_under_a_lapsed_lease_is_refused"),
            Act::Lease if past.token_before == Some(token) => {
                self.breaks("late_fill_leaves_the_next_load_alone")
            }
            Act::Lease => self.breaks("fill_needs_the_lease"),
            Act::Fill => self.breaks("fill_ends_the_lease"),
            Act::Write if own && past.lease_was_brief => self.breaks("late_fill_undoes_no_write"),
            Act::Write => self.breaks("write_voids_the_lease") && own,
            Act::Delete => self.breaks("delete_voids_the_lease"),
            Act::DeleteOfNothing => self.breaks("delete_of_nothing_voids_the_lease"),
            Act::Expire => self.breaks("expire_voids_the_lease"),
            Act::ExpireOfNothing => self.breaks("expire_of_nothing_voids_the_lease"),
            Act::Release => self.breaks("released_lease_is_free"),
            Act::Nothing | Act::RefusedWrite => false,
        };
        if happens { Precondition::Always } else { Precondition::Lease(token) }
    }

    pub(super) async fn lease(&self, mut request: LeaseRequest) -> Result<Lease, Error> {
        let key = request.key.clone();
        let past = self.past(&key);
        let current = self.held(&key, Companions::None).await.entry;
        if let Some(shown) = request.seen {
            request.seen = self.revealed(&key, shown).await;
        }
        if self.breaks("lease_of_something_else_is_told") {
            request.seen = current.as_ref().map(|stored| stored.version);
        }
        if self.breaks("stale_entry_can_be_leased") && current.is_some_and(|stored| stored.stale) {
            return Ok(Lease::Changed);
        }
        let is_brief = request.ttl <= Ttl::secs(1);
        let lease = only(self.inner.lease_many(&[request]).await)?;
        if let Lease::Granted(token) = lease {
            let claimed = past.was_leased && !past.was_released;
            let still_held = self.breaks("lease_lapses") && past.last == Act::Lease
                || self.breaks("voided_lease_is_free")
                    && claimed
                    && matches!(past.last, Act::Write | Act::DeleteOfNothing);
            if still_held {
                return Ok(Lease::Held);
            }
            let still_noted = match past.last {
                Act::Release => self.breaks("back_off_lapses"),
                Act::Write => self.breaks("write_ends_the_back_off"),
                Act::DeleteOfNothing => self.breaks("delete_ends_the_back_off"),
                _ => false,
            };
            if let Some(note) = past.note.clone().filter(|_| still_noted) {
                return Ok(Lease::BackingOff { note });
            }
            self.remember(&key, |past| {
                past.act(Act::Lease);
                past.was_leased = true;
                past.token_before = past.token.replace(token);
                past.lease_was_brief = is_brief;
            });
        }
        Ok(match lease {
            Lease::Granted(token) => Lease::Granted(self.shown(token)),
            Lease::Held if self.grants_twice(&past) => Lease::Granted(LeaseToken::from_raw(99)),
            Lease::BackingOff { note } if self.breaks("back_off_note_is_told") => {
                Lease::BackingOff { note: note.slice(..note.len().min(32)) }
            }
            other => other,
        })
    }

    /// Whether a lease that is out is granted again: to one who has looked, or who has not.
    fn grants_twice(&self, past: &Past) -> bool {
        match past.reads {
            0 => self.breaks("one_of_many_is_granted_the_lease"),
            _ => self.breaks("lease_is_granted_once"),
        }
    }

    pub(super) async fn renew(&self, hold: &LeaseHold, ttl: Ttl) -> Result<bool, Error> {
        let past = self.past(&hold.key);
        let ttl = if self.breaks("renewed_lease_lasts") { Ttl::secs(1) } else { ttl };
        let token = self.meant(hold.token, &past);
        let hold = LeaseHold { key: hold.key.clone(), token };
        if self.breaks("renewal_never_shortens") && ttl == Ttl::MIN {
            return self.granted_anew(hold, ttl).await;
        }
        let renewed = only(self.inner.renew_many(&[hold], ttl).await)?;
        let pretended = match past.token == Some(token) {
            true => self.breaks("lapsed_lease_is_not_renewed"),
            false => self.breaks("renewal_needs_the_lease"),
        };
        Ok(renewed || pretended)
    }

    /// Ends the lease and grants it anew for `ttl`.
    async fn granted_anew(&self, hold: LeaseHold, ttl: Ttl) -> Result<bool, Error> {
        let key = hold.key.clone();
        let released = only(self.inner.release_many(&[LeaseEnd { hold, back_off: None }]).await)?;
        let seen = self.held(&key, Companions::None).await.entry.map(|stored| stored.version);
        let request = LeaseRequest { key: key.clone(), seen, ttl };
        if let Lease::Granted(token) = only(self.inner.lease_many(&[request]).await)? {
            self.remember(&key, |past| past.former_token = past.token.replace(token));
        }
        Ok(released)
    }

    pub(super) async fn release(&self, end: &LeaseEnd) -> Result<bool, Error> {
        let key = end.hold.key.clone();
        let past = self.past(&key);
        let mut token = self.meant(end.hold.token, &past);
        if self.breaks("release_needs_the_lease") && past.last == Act::Lease {
            token = past.token.unwrap_or(token);
        }
        let hold = LeaseHold { key: key.clone(), token };
        let end = LeaseEnd { hold, back_off: end.back_off.clone() };
        let released = only(self.inner.release_many(std::slice::from_ref(&end)).await)?;
        let noted = end.back_off.is_some();
        if released {
            self.remember(&key, |past| {
                past.act(Act::Release);
                past.was_released = true;
                past.note = end.back_off.map(|back_off| back_off.note);
            });
        }
        Ok(released || noted && self.breaks("back_off_needs_the_lease"))
    }
}
