//! A cache that can be read, by place of the record.

use tokio::runtime::Handle;

type ReadAll = dyn Fn(&[usize]) + Send + Sync;

/// A cache, filled.
pub(crate) struct Reader {
    pub(crate) name: &'static str,
    read_all: Box<ReadAll>,
}

impl Reader {
    /// Reads with plain calls.
    pub(crate) fn plain(name: &'static str, read: impl Fn(usize) + Send + Sync + 'static) -> Self {
        let read_all = move |places: &[usize]| places.iter().for_each(|at| read(*at));
        Self { name, read_all: Box::new(read_all) }
    }

    /// Reads with futures; the runtime is entered once a round.
    pub(crate) fn waiting(
        name: &'static str,
        runtime: &Handle,
        read: impl AsyncFn(usize) + Send + Sync + 'static,
    ) -> Self {
        let runtime = runtime.clone();
        let read_all = move |places: &[usize]| {
            runtime.block_on(async {
                for at in places {
                    read(*at).await;
                }
            });
        };
        Self { name, read_all: Box::new(read_all) }
    }

    /// Reads the records at `places`.
    pub(crate) fn read_all(&self, places: &[usize]) {
        (self.read_all)(places);
    }
}
