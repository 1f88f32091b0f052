//! Cache-aside engine: freshness, single-flight and fences over any rucache backend.
