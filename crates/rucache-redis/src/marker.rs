//! Markers and counters.

use bytes::Bytes;
use redis::Value;
use rucache_core::{Answers, Key, Marker, MarkerRef, MarkerVersion, Operation, Ttl, WireKey};

use crate::backend::Shared;
use crate::error::{Cause, Failure};
use crate::node::Access;
use crate::request::{Request, answered, number, string};
use crate::script;

impl Shared {
    pub(crate) async fn markers(
        &self,
        at: &[MarkerRef],
        seed: MarkerVersion,
    ) -> Answers<MarkerVersion> {
        let mut call = self.call(Access::Facts);
        // One copy of each for all keys, read once however often it is asked for.
        let names: Vec<WireKey> = at.iter().map(|at| self.codec.marker(&at.marker)).collect();
        let mut distinct = names.clone();
        distinct.sort();
        distinct.dedup();
        let answers = self.fleet.read(distinct.clone(), call).await;
        let mut found: Vec<_> = answers.into_iter().map(read).collect();
        let missing = |answer: &Result<Option<MarkerVersion>, Failure>| matches!(answer, Ok(None));
        let missing: Vec<_> = (0..found.len()).filter(|at| missing(&found[*at])).collect();
        let mut requests = Vec::with_capacity(2 * missing.len());
        for at in &missing {
            let create = Request::new("SET", &distinct[*at]).arg(seed.as_raw()).arg("NX");
            requests.extend([create, Request::new("GET", &distinct[*at])]);
        }
        call.access = Access::Change;
        let created = self.fleet.send(requests, call).await;
        for (at, pair) in missing.into_iter().zip(created.chunks_exact(2)) {
            found[at] = created_marker(pair);
        }
        let of =
            |name: &WireKey| match distinct.binary_search(name).ok().and_then(|at| found.get(at)) {
                Some(Ok(Some(version))) => Ok(*version),
                Some(Err(failure)) => Err(failure.clone().during(Operation::Markers)),
                _ => Err(Failure::from(Cause::Form).during(Operation::Markers)),
            };
        names.iter().map(of).collect()
    }

    pub(crate) async fn bump(&self, markers: &[Marker], seed: MarkerVersion) -> Answers<()> {
        let request = |marker| {
            let name = self.codec.marker(marker);
            Request::script(&script::BUMP, &[name.as_bytes()]).arg(seed.as_raw())
        };
        let answers = self.change(markers.iter().map(request).collect()).await;
        let done = |answer: Result<Value, Failure>| {
            answered(answer?)?;
            Ok(())
        };
        let answers = answers.into_iter().map(done);
        answers.map(|one| one.map_err(|failure: Failure| failure.during(Operation::Bump))).collect()
    }

    pub(crate) async fn add_many(&self, additions: &[(Key, u64)], ttl: Ttl) -> Answers<u64> {
        // Redis takes no more than 63 bits.
        let fits = |delta: u64| i64::try_from(delta).is_ok();
        let request = |(key, delta): &(Key, u64)| {
            let name = self.codec.counter(key);
            Request::script(&script::ADD, &[name.as_bytes()]).arg(*delta).arg(ttl.as_millis())
        };
        let requests = additions.iter().filter(|(_, delta)| fits(*delta)).map(request);
        let mut answers = self.change(requests.collect()).await.into_iter();
        let sum = |(_, delta): &(Key, u64)| {
            if !fits(*delta) {
                return Err(Failure::from(Cause::Sum));
            }
            let answer = answers.next().unwrap_or_else(|| Err(Cause::Form.into()));
            Ok(number(answer?)?)
        };
        let sums = additions.iter().map(sum);
        sums.map(|one| one.map_err(|failure| failure.during(Operation::Add))).collect()
    }
}

/// The marker in the bytes of its slot.
pub(crate) fn read(
    answer: Result<Option<Bytes>, Failure>,
) -> Result<Option<MarkerVersion>, Failure> {
    Ok(answer?.map(|digits| version(&digits)).transpose()?)
}

/// The answers to `SET … NX` and `GET`: the second is the truth, whoever was first.
fn created_marker(pair: &[Result<Value, Failure>]) -> Result<Option<MarkerVersion>, Failure> {
    let [set, get] = pair else { return Err(Cause::Form.into()) };
    answered(set.clone()?)?;
    let digits = string(get.clone()?)?.ok_or(Cause::Form)?;
    Ok(Some(version(&digits)?))
}

fn version(digits: &[u8]) -> Result<MarkerVersion, Cause> {
    let digits = std::str::from_utf8(digits).ok();
    let raw = digits.and_then(|digits| digits.parse().ok()).ok_or(Cause::Foreign)?;
    Ok(MarkerVersion::from_raw(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_decimal_number() {
        assert_eq!(
            version(b"1884390400000000001").ok(),
            Some(MarkerVersion::from_raw(1_884_390_400_000_000_001))
        );
        for foreign in [&b""[..], b"-1", b"1.5", b"x", b"99999999999999999999"] {
            assert!(matches!(version(foreign), Err(Cause::Foreign)), "{foreign:?}");
        }
    }
}
