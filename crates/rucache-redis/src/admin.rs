//! Listings of keys, signs of life, and what the servers say of themselves.

use redis::{Pipeline, Value};
use rucache_core::{Info, KeyPage, ServiceName, SlotName};

use crate::backend::Shared;
use crate::error::{Cause, Failure};
use crate::maps::following;
use crate::node::{Access, field, is_code};
use crate::request::{answered, list, number};

/// Fewest and most names that one step of a listing looks at.
const STEP: std::ops::RangeInclusive<usize> = 100..=10_000;

/// Steps of one page: names of other services are passed over without a caller waiting for more.
const STEPS: usize = 20;

impl Shared {
    pub(crate) async fn scan(
        &self,
        service: &ServiceName,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, Failure> {
        let call = self.bulk(Access::Facts);
        let mut primaries = self.primaries(call).await;
        primaries.sort_by(|a, b| a.name().cmp(b.name()));
        let (first, mut at) = place(cursor)?;
        // A node that is gone ends its part.
        let mut nodes = primaries.iter().skip_while(|node| node.name().as_ref() < first);
        let Some(mut node) = nodes.next() else { return Ok(KeyPage::default()) };
        if !first.is_empty() && node.name().as_ref() != first {
            at = 0;
        }
        let pattern = self.pattern(service);
        let mut keys = Vec::new();
        for _ in 0..STEPS {
            let mut question = Pipeline::new();
            let step = limit.clamp(*STEP.start(), *STEP.end());
            question.cmd("SCAN").arg(at).arg("MATCH").arg(&pattern).arg("COUNT").arg(step);
            let answer = node.send(&question, call).await?.pop().ok_or(Cause::Form)?;
            let [next, names] = <[Value; 2]>::try_from(list(answer)?).map_err(|_| Cause::Form)?;
            keys.extend(list(names)?.into_iter().filter_map(|name| self.entry_key(&name, service)));
            at = match following(next)? {
                Some(next) => next.parse().map_err(|_| Cause::Form)?,
                None => match nodes.next() {
                    Some(next) => {
                        node = next;
                        0
                    }
                    None => return Ok(KeyPage { keys, next: None }),
                },
            };
            if keys.len() >= limit {
                break;
            }
        }
        Ok(KeyPage { keys, next: Some(format!("{}/{at}", node.name())) })
    }

    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        let mut question = Pipeline::new();
        question.cmd("PING");
        let call = self.call(Access::Facts);
        self.primaries(call).await;
        for answer in self.fleet.ask_all(&question, call).await?.into_iter().flatten() {
            answered(answer)?;
        }
        Ok(())
    }

    pub(crate) async fn info(&self) -> Result<Info, Failure> {
        let mut questions = Pipeline::new();
        questions.cmd("INFO").cmd("DBSIZE");
        let call = self.bulk(Access::Facts);
        self.primaries(call).await;
        let mut sum = Info::default();
        let mut unlimited = false;
        for answers in self.fleet.ask_all(&questions, call).await? {
            let [info, size] = <[Value; 2]>::try_from(answers).map_err(|_| Cause::Form)?;
            // Who may not ask gets no answer to this, which is no error.
            let info = if is_code(&info, "NOPERM") { Value::Nil } else { answered(info)? };
            let figure = |name| field(&info, name).and_then(|value| value.parse::<u64>().ok());
            sum.version = sum.version.or_else(|| field(&info, "redis_version"));
            sum.items = plus(sum.items, number(size).ok());
            sum.used_bytes = plus(sum.used_bytes, figure("used_memory"));
            sum.evictions = plus(sum.evictions, figure("evicted_keys"));
            // Zero is no limit.
            unlimited |= figure("maxmemory") == Some(0);
            sum.capacity_bytes = plus(sum.capacity_bytes, figure("maxmemory"));
        }
        sum.capacity_bytes = sum.capacity_bytes.filter(|_| !unlimited);
        Ok(sum)
    }

    /// The names of a service's entries. No service or prefix holds what a pattern knows.
    fn pattern(&self, service: &ServiceName) -> String {
        match self.codec.prefix() {
            Some(prefix) => format!("{}:{service}:*", prefix.as_str()),
            None => format!("{service}:*"),
        }
    }

    fn entry_key(&self, name: &Value, service: &ServiceName) -> Option<rucache_core::Key> {
        let Value::BulkString(name) = name else { return None };
        match self.codec.decode(std::str::from_utf8(name).ok()?) {
            Some(SlotName::Entry(key)) if key.service() == service.as_str() => Some(key),
            _ => None,
        }
    }
}

/// A cursor `node/number`: the node's name and where its listing goes on.
fn place(cursor: Option<&str>) -> Result<(&str, u64), Cause> {
    match cursor {
        None => Ok(("", 0)),
        Some(cursor) => {
            let (node, at) = cursor.rsplit_once('/').ok_or(Cause::Cursor)?;
            Ok((node, at.parse().map_err(|_| Cause::Cursor)?))
        }
    }
}

fn plus(sum: Option<u64>, figure: Option<u64>) -> Option<u64> {
    match (sum, figure) {
        (Some(sum), Some(figure)) => Some(sum.saturating_add(figure)),
        (sum, figure) => sum.or(figure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_node() {
        assert_eq!(place(None).ok(), Some(("", 0)));
        assert_eq!(place(Some("127.0.0.1:7001/42")).ok(), Some(("127.0.0.1:7001", 42)));
        for foreign in ["42", "node/", "node/x", ""] {
            assert!(matches!(place(Some(foreign)), Err(Cause::Cursor)), "{foreign:?}");
        }
    }
}
