//! The load of a batch: the loader is asked once for all keys; a batch that fails as a whole is asked
//! for in halves, so that one key does not fail the others.

use std::ops::Range;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use rucache_core::Key;

use crate::LoadError;
use crate::load::{LoadFuture, Loader};
use crate::loaded::LoadedValue;

type Answer = Result<LoadedValue, LoadError>;

/// One answer of `loader` for each of `keys`.
///
/// A batch whose load panics, or brings another number of answers than it was asked for, is asked
/// for again in two halves, then the half that fails in halves of its own: one key that the loader
/// cannot bear costs two calls for each time the batch can be halved. Where both halves fail it is
/// not the keys, and nothing more is asked.
pub(crate) fn load(loader: Loader, keys: Vec<Key>) -> LoadFuture {
    Box::pin(async move {
        let mut failure = match whole(&loader, &keys).await {
            Ok(answers) => return answers,
            Err(failure) => failure,
        };
        let mut answers: Vec<Option<Answer>> = keys.iter().map(|_| None).collect();
        let mut failed = 0..keys.len();
        while failed.len() > 1 {
            let middle = failed.start + failed.len() / 2;
            let (first, second) = (failed.start..middle, middle..failed.end);
            let part = |range: &Range<usize>| keys[range.clone()].to_vec();
            let one = whole(&loader, &part(&first)).await;
            let other = whole(&loader, &part(&second)).await;
            let (range, good, rest, error) = match (one, other) {
                (Ok(one), Ok(other)) => {
                    place(&mut answers[first], one);
                    place(&mut answers[second], other);
                    break;
                }
                (Ok(good), Err(error)) => (first, good, second, error),
                (Err(error), Ok(good)) => (second, good, first, error),
                (Err(_), Err(_)) => break,
            };
            place(&mut answers[range], good);
            (failed, failure) = (rest, error);
        }
        let failed = |answer: Option<Answer>| answer.unwrap_or_else(|| Err(failure.clone()));
        answers.into_iter().map(failed).collect()
    })
}

/// The answers for `keys` of one call; none of them where it panics or their number is another: it
/// cannot be known then which answer is whose.
async fn whole(loader: &Loader, keys: &[Key]) -> Result<Vec<Answer>, LoadError> {
    match AssertUnwindSafe(loader(keys.to_vec())).catch_unwind().await {
        Ok(answers) if answers.len() == keys.len() => Ok(answers),
        Ok(answers) => Err(LoadError::wrong_number_of_answers(keys.len(), answers.len())),
        Err(_) => Err(LoadError::Panicked),
    }
}

fn place(slots: &mut [Option<Answer>], answers: Vec<Answer>) {
    for (slot, answer) in slots.iter_mut().zip(answers) {
        *slot = Some(answer);
    }
}
