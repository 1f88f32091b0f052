//! What an API is asked, and what its answers mean: pure functions over one exchange.

mod apiperu;
mod decolecta;
mod migo;
mod rate;
mod record;
mod table;

use std::num::NonZeroUsize;

use rucache_ruc::{Account, ExchangeRate, RateQuery, Ruc, Taxpayer};

use crate::config::ApiKind;
use crate::fault::Verdict;
use crate::http::{Request, Response};
use crate::secret::Secret;

/// One look-up API.
///
/// Every answer is read by the API's own table; what no row knows is a failure, and only a row
/// that says so makes an absence.
pub(crate) trait Api: Send + Sync {
    /// Asks for one number.
    fn single(&self, ruc: Ruc) -> Request;

    /// Reads the answer to [`single`](Api::single): the record of `ruc`, or that there is none.
    fn read_single(&self, ruc: Ruc, response: &Response) -> Verdict<Taxpayer>;

    /// Most numbers of a collection; one where the API has none.
    fn batch_limit(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    /// Asks for many numbers at once.
    fn collection(&self, rucs: &[Ruc]) -> Option<Request> {
        let _ = rucs;
        None
    }

    /// Reads the answer to a collection: the readable records of `rucs` in it, in any order. Other
    /// numbers, and items that are no record, are passed over.
    fn read_collection(&self, rucs: &[Ruc], response: &Response) -> Verdict<Vec<Taxpayer>> {
        let _ = (rucs, response);
        Ok(None)
    }

    /// Asks for an exchange rate, where the API knows of that currency.
    fn rate(&self, query: RateQuery) -> Option<Request> {
        let _ = query;
        None
    }

    /// Reads the answer to [`rate`](Api::rate).
    fn read_rate(&self, query: RateQuery, response: &Response) -> Verdict<ExchangeRate> {
        let _ = (query, response);
        Ok(None)
    }

    /// Asks for the customer's account.
    fn account(&self) -> Option<Request> {
        None
    }

    /// Reads the answer to [`account`](Api::account).
    fn read_account(&self, response: &Response) -> Verdict<Account> {
        let _ = response;
        Ok(None)
    }
}

/// The API of `kind`, asked with `token`.
pub(crate) fn api(kind: ApiKind, token: Secret) -> Box<dyn Api> {
    match kind {
        ApiKind::Migo => Box::new(migo::Migo::new(token)),
        ApiKind::Decolecta => Box::new(decolecta::Decolecta::snake(token)),
        ApiKind::ApisNetPe => Box::new(decolecta::Decolecta::camel(token)),
        ApiKind::Apiperu => Box::new(apiperu::ApiPeru::new(token)),
    }
}
