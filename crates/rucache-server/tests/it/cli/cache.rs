//! The commands that work on a cache: through a service, and on a server opened by themselves.

use rucache_testkit::{Memcached, MemcachedOptions, RedisOptions, RedisServer};
use serde_json::json;

use super::program::{Run, Service, file, rucache};

/// Runs a command on the cache that `place` names: `--server URL` or `--backend URL`.
fn on(place: [&str; 2], arguments: &[&str]) -> Run {
    rucache(&[&place[..], arguments].concat()).run()
}

#[track_caller]
fn says(run: &Run, code: i32, stdout: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(code), stdout), "{}", run.stderr);
}

#[test]
fn entries_are_set_shown_deleted_and_invalidated_wherever_they_live() {
    let service = Service::start();
    let redis = RedisServer::start(RedisOptions::default());
    let memcached = Memcached::start_pool(3, &MemcachedOptions::default());
    let redis = format!("{}?timeout=5s", redis.url());
    let memcached = format!("{}?timeout=5s", Memcached::pool_url(&memcached));
    for place in [["--server", &*service.url], ["--backend", &*redis], ["--backend", &*memcached]] {
        let run = |arguments: &[&str]| on(place, arguments);
        let value = "{\"n\":1.50,\"text\":\"ñ\"}";
        says(&run(&["set", "migo", "a/b ..", value, "--ttl", "1h", "--tag", "x"]), 0, "stored\n");
        says(&run(&["get", "migo", "a/b .."]), 0, &format!("{}\n", value.replace("1.50", "1.5")));
        says(&run(&["set", "migo", "b", "hola", "--text"]), 0, "stored\n");
        says(&run(&["get", "migo", "b"]), 0, "\"hola\"\n");
        says(&run(&["delete", "migo", "b", "none"]), 0, "1 deleted\n");
        let missing = run(&["get", "migo", "b"]);
        missing.fails(10, "nothing is cached under this name, or not any more");
        says(
            &run(&["invalidate", "--tag", "migo:x", "--json"]),
            0,
            "{\n  \"outcome\": \"done\"\n}\n",
        );
        assert_eq!(run(&["get", "migo", "a/b .."]).code, Some(10));
        run(&["set", "migo", "c", "1"]);
        says(&run(&["clear", "migo"]), 0, "migo cleared\n");
        assert_eq!(run(&["get", "migo", "c"]).code, Some(10));
        run(&["set", "migo", "d", "1"]);
        let event = run(&["event", "service", "cleared", "migo"]);
        assert_eq!(event.code, Some(0), "{event:?}");
        assert!(event.stdout.contains("remove  service  migo  done"), "{}", event.stdout);
        assert_eq!(run(&["get", "migo", "d"]).code, Some(10));
        assert_eq!(run(&["maintain", "--json"]).json()["invalid_rucs"], 0);
    }
}

#[test]
fn registry_is_kept_by_command() {
    let redis = RedisServer::start(RedisOptions::default());
    let url = format!("{}?timeout=5s", redis.url());
    let run = |arguments: &[&str]| on(["--backend", &url], &[&["invalid"], arguments].concat());
    for reason in ["NO_EXISTE_SUNAT", "not_found"] {
        assert_eq!(run(&["add", "20999999999", reason, "--ttl", "24h"]).code, Some(0));
    }
    run(&["add", "..", "FORMATO_INVALIDO"]);
    let shown = run(&["show", "20999999999", "--json"]).json();
    assert_eq!((&shown["attempts"], &shown["reason"]), (&json!(2), &json!("not_found")));
    let listed = run(&["list", "--json"]).stdout;
    let mut numbers: Vec<String> = listed
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["ruc"].to_string()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["\"..\"", "\"20999999999\""]);
    says(&run(&["remove", ".."]), 0, "removed\n");
    run(&["show", ".."]).fails(10, "the number is not in the registry, or not any more");
    says(&run(&["clear"]), 0, "1 removed\n");
    assert_eq!(run(&["list", "--json"]).stdout, "");
}

#[test]
fn statistics_of_a_service_are_shown() {
    let service = Service::start();
    let run = |arguments: &[&str]| on(["--server", &service.url], arguments);
    run(&["clear", "--all"]);
    run(&["set", "default", "key1", "1"]);
    run(&["get", "default", "key1"]);
    run(&["get", "default", "key2"]);
    let shown = run(&["stats"]).stdout;
    for line in [
        "backend        local_memory",
        "hits           1",
        "misses         1",
        "hit rate       50.0 %",
    ] {
        assert!(shown.contains(&format!("{line}\n")), "{line} in {shown}");
    }
    let stats = run(&["stats", "--fleet", "--json"]).json();
    assert_eq!(stats["service_breakdown"]["default"], json!({ "hits": 1, "misses": 1 }));
    assert!(stats["fleet"]["date"].is_string());
}

#[test]
fn commands_that_would_work_on_nothing_say_so() {
    for arguments in [
        &["get", "migo", "a"][..],
        &["set", "migo", "a", "1"],
        &["delete", "migo", "a"],
        &["clear", "migo"],
        &["invalidate", "a"],
        &["event", "a", "b", "1"],
        &["stats"],
        &["maintain"],
        &["warm", "--most-asked", "1"],
        &["invalid", "list"],
    ] {
        let run = rucache(arguments).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{arguments:?}");
        let told =
            format!("rucache: {} works on nothing here: memory:// is the memory", arguments[0]);
        assert!(run.stderr.starts_with(&told), "{}", run.stderr);
        assert!(run.stderr.contains("--server") && run.stderr.lines().count() == 1);
    }
}

#[test]
fn backend_that_is_down_is_no_miss() {
    let redis = RedisServer::start(RedisOptions::default());
    redis.kill_9();
    let run = on(["--backend", &redis.url()], &["get", "migo", "a"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""), "{run:?}");
    assert!(run.stderr.contains("does not answer"), "{}", run.stderr);
}

#[test]
fn rules_are_shown_and_explained_without_a_backend() {
    let text = "[[rules]]\nname = \"productos\"\nentity = \"producto\"\nactions = [\"saved\"]\n\
                remove.keys = [\"electro:lista\", \"electro:producto_{id}\"]\n";
    let path = file("shop.toml", text).display().to_string();
    let run = rucache(&["rules", "check", &path]).run();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("remove key electro:producto_{id}"), "{}", run.stdout);
    let event = r#"{"entity":"producto","action":"saved","key":"7"}"#;
    let run = rucache(&["rules", "check", &path, "--event", event, "--json"]).run();
    let effects = json!([
        { "action": "remove", "key": "electro:lista" },
        { "action": "remove", "key": "electro:producto_7" },
    ]);
    assert_eq!(run.json()["effects"], effects);
    let run = rucache(&["--config", &path, "event", "--dry-run", "producto", "created", "8"]).run();
    assert!(run.stdout.contains("electro:producto_8"), "{run:?}");
}

#[test]
fn completions_and_pages_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let run = rucache(&["completions", shell]).run();
        assert_eq!(run.code, Some(0));
        for command in ["invalidate", "bulk", "doctor"] {
            assert!(run.stdout.contains(command), "{shell}: {command}");
        }
    }
    let run = rucache(&["man"]).run();
    assert!(run.stdout.contains(".TH") && run.stdout.contains("bulk"), "{}", run.stdout);
    let run = rucache(&["man", "invalid", "add"]).run();
    assert!(run.stdout.contains("NO_EXISTE_SUNAT"), "{}", run.stdout);
    rucache(&["man", "none"]).run().fails(1, "rucache has no command \"none\"");
}
