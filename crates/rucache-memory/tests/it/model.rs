//! Any sequence of operations on entries answers as a plain statement of the contract does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use rucache_core::{
    Backend, BackendExt, Key, Lease, LeaseEnd, LeaseHold, LeaseRequest, LeaseToken, Precondition,
    TestRuntime, Ttl, Version, Write, WriteOutcome,
};
use rucache_memory::{MemoryBackend, MemoryConfig};

/// One step; the numbers choose among three keys, and among what was seen before.
#[derive(Debug, Clone)]
enum Step {
    Set { key: u8, value: u8, secs: u64 },
    SetAbsent { key: u8, value: u8 },
    SetSeen { key: u8, value: u8, seen: usize },
    Fill { key: u8, value: u8, held: usize },
    Delete { key: u8 },
    Expire { key: u8 },
    Lease { key: u8, seen: Option<usize>, secs: u64 },
    Renew { key: u8, held: usize, secs: u64 },
    Release { key: u8, held: usize },
    Purge,
    Advance { secs: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (key, secs) = (|| 0_u8..3, || 1_u64..10);
    prop_oneof![
        (key(), any::<u8>(), secs()).prop_map(|(key, value, secs)| Step::Set { key, value, secs }),
        (key(), any::<u8>()).prop_map(|(key, value)| Step::SetAbsent { key, value }),
        (key(), any::<u8>(), any::<usize>()).prop_map(|(key, value, seen)| Step::SetSeen {
            key,
            value,
            seen
        }),
        (key(), any::<u8>(), any::<usize>()).prop_map(|(key, value, held)| Step::Fill {
            key,
            value,
            held
        }),
        key().prop_map(|key| Step::Delete { key }),
        key().prop_map(|key| Step::Expire { key }),
        (key(), any::<Option<usize>>(), secs()).prop_map(|(key, seen, secs)| Step::Lease {
            key,
            seen,
            secs
        }),
        (key(), any::<usize>(), secs()).prop_map(|(key, held, secs)| Step::Renew {
            key,
            held,
            secs
        }),
        (key(), any::<usize>()).prop_map(|(key, held)| Step::Release { key, held }),
        Just(Step::Purge),
        (0_u64..6).prop_map(|secs| Step::Advance { secs }),
    ]
}

/// The contract, in milliseconds. Lives are whole seconds and every advance is seven milliseconds
/// more, so that no deadline falls on a moment that is looked at.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    entries: HashMap<u8, Entry>,
    leases: HashMap<u8, (LeaseToken, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    value: u8,
    stale: bool,
    until: u64,
    version: Version,
}

impl Model {
    fn entry(&self, key: u8) -> Option<Entry> {
        self.entries.get(&key).copied().filter(|entry| entry.until > self.now)
    }

    fn lease(&self, key: u8) -> Option<LeaseToken> {
        self.leases.get(&key).filter(|(_, until)| *until > self.now).map(|(token, _)| *token)
    }
}

struct Bench {
    backend: MemoryBackend,
    runtime: TestRuntime,
    model: Model,
    versions: Vec<Version>,
    tokens: Vec<LeaseToken>,
}

fn name(key: u8) -> Key {
    Key::parse(&format!("migo:ruc_{key}")).unwrap()
}

impl Bench {
    fn seen(&self, at: usize) -> Version {
        self.versions.get(at % (self.versions.len() + 1)).copied().unwrap_or(Version::from_raw(0))
    }

    fn held(&self, key: u8, at: usize) -> LeaseHold {
        let token = self.tokens.get(at % (self.tokens.len() + 1)).copied();
        LeaseHold { key: name(key), token: token.unwrap_or(LeaseToken::from_raw(0)) }
    }

    fn write(&mut self, key: u8, value: u8, secs: u64, when: Precondition, allowed: bool) {
        let value_bytes = Bytes::copy_from_slice(&[value]);
        let write = Write { key: name(key), value: value_bytes, ttl: Ttl::secs(secs), when };
        let outcome = self.runtime.block_on(self.backend.write(write)).unwrap();
        assert_eq!(outcome == WriteOutcome::Stored, allowed);
        if allowed {
            self.model.leases.remove(&key);
            let until = self.model.now + secs * 1_000;
            let version = self.current(key).expect("just written");
            self.model.entries.insert(key, Entry { value, stale: false, until, version });
        }
    }

    /// The version that stands at the backend, which must be new after a change.
    fn current(&mut self, key: u8) -> Option<Version> {
        let version = self.runtime.block_on(self.backend.get(&name(key))).unwrap()?.version;
        assert!(!self.versions.contains(&version), "a version came back");
        self.versions.push(version);
        Some(version)
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Set { key, value, secs } => {
                self.write(key, value, secs, Precondition::Always, true);
            }
            Step::SetAbsent { key, value } => {
                let allowed = self.model.entry(key).is_none();
                self.write(key, value, 5, Precondition::Absent, allowed);
            }
            Step::SetSeen { key, value, seen } => {
                let seen = self.seen(seen);
                let allowed = self.model.entry(key).is_some_and(|entry| entry.version == seen);
                self.write(key, value, 5, Precondition::Version(seen), allowed);
            }
            Step::Fill { key, value, held } => {
                let token = self.held(key, held).token;
                let allowed = self.model.lease(key) == Some(token);
                self.write(key, value, 5, Precondition::Lease(token), allowed);
            }
            Step::Delete { key } => {
                let deleted = self.runtime.block_on(self.backend.delete(&name(key))).unwrap();
                assert_eq!(deleted, self.model.entry(key).is_some());
                self.model.entries.remove(&key);
                self.model.leases.remove(&key);
            }
            Step::Expire { key } => {
                let keys = [name(key)];
                let expire = self.backend.expire_many(&keys);
                let mut expired = self.runtime.block_on(expire);
                let entry = self.model.entry(key);
                assert_eq!(expired.pop().unwrap().unwrap(), entry.is_some());
                self.model.leases.remove(&key);
                if let Some(entry) = entry {
                    let version = self.current(key).expect("kept as stale");
                    self.model.entries.insert(key, Entry { stale: true, version, ..entry });
                }
            }
            Step::Lease { key, seen, secs } => {
                let seen = seen.map(|seen| self.seen(seen));
                let requests = [LeaseRequest { key: name(key), seen, ttl: Ttl::secs(secs) }];
                let lease = self.backend.lease_many(&requests);
                let lease = self.runtime.block_on(lease).pop().unwrap().unwrap();
                let unchanged = self.model.entry(key).map(|entry| entry.version) == seen;
                match lease {
                    Lease::Granted(token) => {
                        assert!(unchanged && self.model.lease(key).is_none());
                        assert!(!self.tokens.contains(&token), "a token came back");
                        self.tokens.push(token);
                        self.model.leases.insert(key, (token, self.model.now + secs * 1_000));
                    }
                    Lease::Held => assert!(unchanged && self.model.lease(key).is_some()),
                    Lease::Changed => assert!(!unchanged),
                    Lease::BackingOff { .. } => panic!("nobody left a note"),
                }
            }
            Step::Renew { key, held, secs } => {
                let hold = self.held(key, held);
                let renew = self.backend.renew_many(std::slice::from_ref(&hold), Ttl::secs(secs));
                let renewed = self.runtime.block_on(renew).pop().unwrap().unwrap();
                assert_eq!(renewed, self.model.lease(key) == Some(hold.token));
                if let Some((_, until)) = self.model.leases.get_mut(&key).filter(|_| renewed) {
                    *until = (*until).max(self.model.now + secs * 1_000);
                }
            }
            Step::Release { key, held } => {
                let hold = self.held(key, held);
                let mine = self.model.lease(key) == Some(hold.token);
                let ends = [LeaseEnd { hold, back_off: None }];
                let release = self.backend.release_many(&ends);
                let released = self.runtime.block_on(release).pop().unwrap().unwrap();
                assert_eq!(released, mine);
                if released {
                    self.model.leases.remove(&key);
                }
            }
            Step::Purge => {
                self.backend.purge();
            }
            Step::Advance { secs } => {
                let millis = secs * 1_000 + 7;
                self.runtime.advance(Duration::from_millis(millis));
                self.model.now += millis;
            }
        }
    }

    fn compare(&self) {
        for key in 0..3 {
            let stored = self.runtime.block_on(self.backend.get(&name(key))).unwrap();
            let stored = stored.map(|stored| (stored.value[0], stored.stale, stored.version));
            let expected = self.model.entry(key);
            assert_eq!(stored, expected.map(|entry| (entry.value, entry.stale, entry.version)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn entries_leases_and_fences_answer_as_the_model(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = TestRuntime::new(1);
        let backend = MemoryBackend::new(&MemoryConfig::default(), Arc::new(runtime.clone()));
        let model = Model::default();
        let mut bench = Bench { backend, runtime, model, versions: Vec::new(), tokens: Vec::new() };
        for step in steps {
            bench.run(step);
            bench.compare();
        }
    }
}
