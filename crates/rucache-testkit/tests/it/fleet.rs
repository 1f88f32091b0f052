//! Tests of several processes.

use std::path::Path;
use std::time::Duration;

use rucache_testkit::{Fleet, Parent, RedisOptions, RedisServer, wait_until};

const PATIENCE: Duration = Duration::from_secs(10);
const NOTHING: [(&str, &str); 0] = [];

fn is_alive(id: &str) -> bool {
    // A process that was killed stays listed as a zombie until its parent has reaped it.
    let status = std::fs::read_to_string(Path::new("/proc").join(id).join("status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}

#[test]
fn members_answer_in_their_roles() {
    if let Some(mut parent) = Parent::of_this_process() {
        let greeting = std::env::var("GREETING").unwrap();
        while let Some(message) = parent.receive() {
            parent.send(&format!("{greeting} {message} from {}", parent.role()));
        }
        return;
    }
    let fleet = Fleet::of_test("fleet::members_answer_in_their_roles");
    let (first, second) =
        (fleet.spawn("first", [("GREETING", "hola")]), fleet.spawn("second", [("GREETING", "hi")]));
    second.send("ñandú");
    first.send("1");
    first.send("2");
    assert_eq!(first.receive(), "hola 1 from first");
    assert_eq!(first.receive(), "hola 2 from first");
    assert_eq!(second.receive(), "hi ñandú from second");
    first.join();
    second.kill_9();
}

#[test]
fn failed_member_fails_the_test() {
    if Parent::of_this_process().is_some() {
        panic!("as it should");
    }
    let fleet = Fleet::of_test("fleet::failed_member_fails_the_test");
    let member = fleet.spawn("failing", NOTHING);
    let joined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| member.join()));
    assert!(joined.is_err());
}

#[test]
fn killed_process_leaves_no_server_behind() {
    if let Some(mut parent) = Parent::of_this_process() {
        let redis = RedisServer::start(RedisOptions::default());
        let directory = redis.command(&["CONFIG", "GET", "dir"]);
        let sleeper = Fleet::of_test("fleet::sleeps_in_a_role").spawn("sleeper", NOTHING);
        let sleeper_id = sleeper.receive();
        redis.pause();
        let id = redis.process_id().unwrap();
        parent.send(&format!("{id} {sleeper_id} {}", directory.lines().nth(1).unwrap()));
        parent.receive();
        return;
    }
    let fleet = Fleet::of_test("fleet::killed_process_leaves_no_server_behind");
    let member = fleet.spawn("owner", NOTHING);
    let said = member.receive();
    let [redis, sleeper, directory] = said.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{said}");
    };
    assert!(is_alive(redis) && is_alive(sleeper) && Path::new(directory).exists());
    member.kill_9();
    assert!(wait_until(PATIENCE, || !is_alive(redis) && !is_alive(sleeper)));
    assert!(wait_until(PATIENCE, || !Path::new(directory).exists()));
}

/// The sleeper of the test above: it listens to nobody.
#[test]
fn sleeps_in_a_role() {
    if let Some(parent) = Parent::of_this_process() {
        parent.send(&std::process::id().to_string());
        std::thread::park_timeout(Duration::from_secs(3_600));
    }
}
