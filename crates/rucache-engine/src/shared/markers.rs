//! Markers at the shared tier: read, made anew where they are missing, raised.

use rucache_core::{Answers, Error, Key, Marker, MarkerRef, MarkerVersion, Operation};

use super::Shared;

/// The markers that an entry stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Markers {
    pub(crate) root: MarkerVersion,
    pub(crate) service: MarkerVersion,
}

impl Shared {
    /// The markers that an entry of `key` written now would stand under.
    pub(crate) async fn markers(&self, key: &Key) -> Result<Markers, Error> {
        self.markers_of(&[key])
            .await
            .pop()
            .unwrap_or_else(|| Err(self.no_answer(Operation::Markers)))
    }

    /// The markers that are known, and in one call those that are not; none where the store does
    /// not give them.
    pub(crate) async fn complete_markers(
        &self,
        known: impl Iterator<Item = (&Key, Option<Markers>)>,
    ) -> Vec<Option<Markers>> {
        let (keys, mut markers): (Vec<&Key>, Vec<Option<Markers>>) = known.unzip();
        let lacking: Vec<usize> = (0..keys.len()).filter(|at| markers[*at].is_none()).collect();
        if lacking.is_empty() {
            return markers;
        }
        let asked: Vec<&Key> = lacking.iter().map(|at| keys[*at]).collect();
        for (at, answer) in lacking.into_iter().zip(self.markers_of(&asked).await) {
            markers[at] = answer.ok();
        }
        markers
    }

    /// The markers that entries of `keys` written now would stand under.
    pub(crate) async fn markers_of(&self, keys: &[&Key]) -> Vec<Result<Markers, Error>> {
        let near = |marker, key: &Key| MarkerRef { marker, near: key.clone() };
        let both =
            |key: &&Key| [near(Marker::Root, key), near(Marker::Service(key.service_name()), key)];
        let at: Vec<MarkerRef> = keys.iter().flat_map(both).collect();
        let mut answers = self.marker_versions(&at).await.into_iter();
        let mut next = || answers.next().unwrap_or_else(|| Err(self.no_answer(Operation::Markers)));
        let mut pair = || {
            let (root, service) = (next(), next());
            Ok(Markers { root: root?, service: service? })
        };
        keys.iter().map(|_| pair()).collect()
    }

    /// The tag epochs of the services of `keys`, as they stand where the entries live.
    pub(crate) async fn epochs(&self, keys: &[Key]) -> Answers<MarkerVersion> {
        let near = |key: &Key| MarkerRef {
            marker: Marker::TagEpoch(key.service_name()),
            near: key.clone(),
        };
        let at: Vec<MarkerRef> = keys.iter().map(near).collect();
        self.marker_versions(&at).await
    }

    /// Markers as they stand where each reference points; what is missing is made anew.
    pub(crate) async fn marker_versions(&self, at: &[MarkerRef]) -> Answers<MarkerVersion> {
        if at.is_empty() {
            return Vec::new();
        }
        let call = self.backend.markers(at, self.seed());
        self.timed(Operation::Markers, at.len(), call).await
    }

    /// Raises markers above what they were, and to `least` at least.
    pub(crate) async fn raise(&self, markers: &[Marker], least: MarkerVersion) -> Answers<()> {
        if markers.is_empty() {
            return Vec::new();
        }
        let call = self.backend.bump(markers, least);
        self.timed(Operation::Bump, markers.len(), call).await
    }

    /// A version that no marker has had.
    pub(crate) fn seed(&self) -> MarkerVersion {
        MarkerVersion::seed(self.runtime.wall(), self.runtime.random())
    }
}
