//! What races load from.

use futures_util::FutureExt as _;
use rucache_peers::{LoadFailed, Source};

#[test]
fn a_load_begins_at_its_first_poll_and_waits_until_the_source_is_open() {
    let source = Source::default();
    let mut load = source.gives(7, "value")();
    assert_eq!(source.callers(), [0; 0]);
    assert_eq!((&mut load).now_or_never(), None);
    assert_eq!(source.callers(), [7]);
    source.open();
    assert_eq!(load.now_or_never(), Some(Ok("value".to_owned())));
}

#[test]
fn a_load_does_what_it_is_told_each_time() {
    let source = Source::default();
    source.open();
    let load = source.then(1, || std::future::ready(Err(LoadFailed("down".to_owned()))));
    for _ in 0..2 {
        assert_eq!(load().now_or_never(), Some(Err(LoadFailed("down".to_owned()))));
    }
    assert_eq!(source.callers(), [1, 1]);
    assert_eq!(source.never(2)().now_or_never(), None);
    assert_eq!(source.callers(), [1, 1, 2]);
}
