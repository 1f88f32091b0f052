//! Several sources in order: the first that knows answers.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use rucache_ruc::{
    Account, Answer, Cause, Coverage, ExchangeRate, Provider, Quote, RateQuery, Reply, Ruc,
    SourceStatus, Unavailable,
};

/// Several sources in the order in which they are asked: the register, then MIGO, then Decolecta.
///
/// - A record ends the search, and so does "not found" from a source that is authoritative for the
///   number.
/// - A source that cannot know, or that does not answer, hands over to the next. One whose gate is
///   closed does so at once.
/// - When none knows, and one did not answer, nothing is known: unavailable for the first one's
///   cause, until the earliest of them may be asked again.
pub struct Sources {
    name: String,
    members: Vec<Arc<dyn Provider>>,
}

impl Sources {
    /// The sources `members`, the first asked first. Their name is theirs, joined by `+`.
    #[must_use]
    pub fn new(members: Vec<Arc<dyn Provider>>) -> Self {
        let names: Vec<&str> = members.iter().map(|member| member.name()).collect();
        Self { name: names.join("+"), members }
    }

    /// The sources, in order.
    #[must_use]
    pub fn members(&self) -> &[Arc<dyn Provider>] {
        &self.members
    }
}

/// What is known of a number while it goes from source to source.
#[derive(Debug, Clone, Default)]
struct Search {
    verdict: Option<Answer>,
    trouble: Option<Unavailable>,
}

impl Search {
    /// Takes in what the source `name` says; whether that ends the search.
    fn hear(&mut self, answer: Answer, name: &str) -> bool {
        match answer {
            Answer::Found { record, as_of, source } => {
                let source = Some(source.unwrap_or_else(|| name.into()));
                self.verdict = Some(Answer::Found { record, as_of, source });
            }
            Answer::NotFound => self.verdict = Some(Answer::NotFound),
            Answer::NotCovered => {}
            Answer::Unavailable(trouble) => self.trouble = Some(merged(self.trouble, trouble)),
        }
        self.verdict.is_some()
    }

    fn end(self) -> Answer {
        self.verdict.unwrap_or_else(|| self.trouble.map_or(Answer::NotCovered, Answer::Unavailable))
    }
}

/// The first trouble, until the earliest moment at which a source may be asked again.
fn merged(first: Option<Unavailable>, next: Unavailable) -> Unavailable {
    let Some(first) = first else { return next };
    match (first.retry_after, next.retry_after) {
        (Some(one), Some(other)) => first.retry_after(one.min(other)),
        (None, Some(other)) => first.retry_after(other),
        (_, None) => first,
    }
}

#[async_trait]
impl Provider for Sources {
    fn name(&self) -> &str {
        &self.name
    }

    /// That of the source that covers most.
    fn coverage(&self) -> Coverage {
        let covers = |wanted| self.members.iter().any(|member| member.coverage() == wanted);
        match () {
            () if covers(Coverage::Full) => Coverage::Full,
            () if covers(Coverage::LegalEntities) => Coverage::LegalEntities,
            () => Coverage::Partial,
        }
    }

    /// The largest of those that have one.
    fn batch_limit(&self) -> NonZeroUsize {
        let limits = self.members.iter().map(|member| member.batch_limit());
        limits.filter(|limit| *limit < NonZeroUsize::MAX).max().unwrap_or(NonZeroUsize::MAX)
    }

    async fn lookup(&self, ruc: Ruc) -> Answer {
        let mut search = Search::default();
        for member in &self.members {
            if search.hear(member.lookup(ruc).await, member.name()) {
                break;
            }
        }
        search.end()
    }

    async fn lookup_many(&self, rucs: &[Ruc]) -> Vec<Answer> {
        let mut searches = vec![Search::default(); rucs.len()];
        let mut open: Vec<usize> = (0..rucs.len()).collect();
        for member in &self.members {
            if open.is_empty() {
                break;
            }
            let asked: Vec<Ruc> = open.iter().map(|place| rucs[*place]).collect();
            let mut answers = member.lookup_many(&asked).await.into_iter();
            open.retain(|place| {
                // A member that answers too few has not answered.
                let none = || Answer::Unavailable(Unavailable::new(Cause::Failed));
                let answer = answers.next().unwrap_or_else(none);
                !searches[*place].hear(answer, member.name())
            });
        }
        searches.into_iter().map(Search::end).collect()
    }

    async fn exchange_rate(&self, query: RateQuery) -> Reply<ExchangeRate> {
        let mut last = Reply::NotCovered;
        for member in &self.members {
            match (member.exchange_rate(query).await, &last) {
                (Reply::Found(rate), _) => return Reply::Found(rate),
                (Reply::NotCovered, _) => {}
                // A rate that one source lacks may stand at another: not a verdict while one that
                // was asked earlier did not answer.
                (Reply::NotFound, Reply::Unavailable(_)) => {}
                (Reply::NotFound, _) => last = Reply::NotFound,
                (Reply::Unavailable(trouble), Reply::Unavailable(first)) => {
                    last = Reply::Unavailable(merged(Some(*first), trouble));
                }
                (Reply::Unavailable(trouble), Reply::NotCovered) => {
                    last = Reply::Unavailable(trouble);
                }
                (Reply::Unavailable(_), _) => {}
            }
        }
        last
    }

    /// That of the first source that has one.
    async fn account(&self) -> Reply<Account> {
        for member in &self.members {
            match member.account().await {
                Reply::NotCovered => {}
                reply => return reply,
            }
        }
        Reply::NotCovered
    }

    /// Sources whose calls cost nothing are asked, so that what they know is not counted for those
    /// whose calls do; the first of these is expected to know the rest.
    async fn quote(&self, rucs: &[Ruc]) -> Vec<Quote> {
        let mut open = rucs.to_vec();
        let mut quotes = Vec::new();
        for member in &self.members {
            if open.is_empty() {
                break;
            }
            let quoted = member.quote(&open).await;
            if quoted.iter().any(|quote| quote.calls > 0) {
                quotes.extend(quoted);
                break;
            }
            let answers = member.lookup_many(&open).await;
            let knows = |answer: &Answer| matches!(answer, Answer::Found { .. } | Answer::NotFound);
            let before = open.len();
            let mut known = answers.iter().map(knows);
            open.retain(|_| !known.next().unwrap_or(false));
            let numbers = before - open.len();
            quotes.push(Quote { source: member.name().into(), numbers, calls: 0 });
        }
        quotes
    }

    fn status(&self) -> Vec<SourceStatus> {
        self.members.iter().flat_map(|member| member.status()).collect()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sources").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests;
