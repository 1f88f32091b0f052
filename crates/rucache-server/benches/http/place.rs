//! Which processors what runs on, so that who asks takes nothing from who answers.

/// What runs apart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// The first processor.
    Servers,
    /// The others.
    Load,
}

#[cfg(target_os = "linux")]
impl Place {
    /// Lets this thread, and the processes that it starts, run here only, where there are several
    /// processors.
    pub(crate) fn take(self) {
        use std::sync::OnceLock;

        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        static ALL: OnceLock<Vec<usize>> = OnceLock::new();
        let all = ALL.get_or_init(|| {
            let set = sched_getaffinity(None).expect("the processors of this thread");
            (0..CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)).collect()
        });
        let [first, others @ ..] = &all[..] else { return };
        let mine = match self {
            Self::Servers => std::slice::from_ref(first),
            Self::Load => others,
        };
        if others.is_empty() {
            return;
        }
        let mut set = CpuSet::new();
        mine.iter().for_each(|processor| set.set(*processor));
        sched_setaffinity(None, &set).expect("its own processors");
    }

    /// How it is said.
    pub(crate) const fn about() -> &'static str {
        "the servers have one processor, the load has another"
    }
}

#[cfg(not(target_os = "linux"))]
impl Place {
    /// Nothing: the system cannot be asked for it.
    pub(crate) const fn take(self) {}

    /// How it is said.
    pub(crate) const fn about() -> &'static str {
        "servers and load share the processors"
    }
}
