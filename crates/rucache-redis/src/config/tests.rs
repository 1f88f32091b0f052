//! Tests of `config`.

use super::*;

#[track_caller]
fn check(url: &str, expected: RedisConfig) {
    assert_eq!(url.parse(), Ok(expected), "{url}");
}

#[track_caller]
fn refused(url: &str, message: &str) {
    let found: Result<RedisConfig, _> = url.parse();
    assert_eq!(found.unwrap_err().to_string(), message, "{url}");
}

fn one(host: &str, port: u16) -> RedisConfig {
    RedisConfig::new(Servers::One(Address::new(host, port)))
}

fn login(user: Option<&str>, password: Option<&str>) -> Login {
    Login { user: user.map(str::to_owned), password: password.map(str::to_owned) }
}

#[test]
fn defaults_are_those_of_the_table() {
    let config = one("localhost", 6379);
    check("redis://localhost", config.clone());
    check("redis://localhost:6379/", config.clone());
    assert_eq!(config.timeout, Duration::from_millis(50));
    assert_eq!(config.bulk_timeout, Duration::from_secs(1));
    assert_eq!(config.connect_timeout, Duration::from_millis(200));
    assert_eq!(config.max_value_len, 1_000_000);
    assert_eq!(config.protocol, Protocol::Resp3);
}

#[test]
fn place_and_login_are_read() {
    let config = RedisConfig {
        login: login(Some("cache"), Some("p@ss:/?#")),
        database: 3,
        ..one("10.0.0.5", 7001)
    };
    check("redis://cache:p%40ss%3A%2F%3F%23@10.0.0.5:7001/3", config);
    check(
        "redis://:secret@h",
        RedisConfig { login: login(None, Some("secret")), ..one("h", 6379) },
    );
    check("redis://[::1]:7001", one("::1", 7001));
    check("redis://[::1]", one("::1", 6379));
    check("rediss://h", RedisConfig { tls: Some(Tls::default()), ..one("h", 6379) });
}

#[test]
fn parameters_are_read() {
    let config = RedisConfig {
        timeout: Duration::from_millis(20),
        bulk_timeout: Duration::from_secs(3),
        connect_timeout: Duration::from_secs(1),
        protocol: Protocol::Resp2,
        prefix: Some("isla".parse().unwrap()),
        max_value_len: 5_000,
        ..one("h", 6379)
    };
    let parameters = "timeout=20ms&bulk_timeout=3s&connect_timeout=1&protocol=2&prefix=isla&\
                      max_value=5000";
    check(&format!("redis://h?{parameters}"), config);
    let tls = Some(Tls { ca: Some("/etc/ca 1.pem".into()) });
    check("rediss://h?ca=/etc/ca%201.pem", RedisConfig { tls, ..one("h", 6379) });
}

#[test]
fn sentinels_and_clusters_are_read() {
    let sentinels = vec![Address::new("a", 26379), Address::new("b", 5000)];
    let servers = Servers::Sentinel {
        sentinels,
        service: "mymaster".to_owned(),
        login: login(Some("watch"), Some("s")),
    };
    let config =
        RedisConfig { login: login(None, Some("p")), database: 2, ..RedisConfig::new(servers) };
    let url = "redis+sentinel://:p@a,b:5000/mymaster/2?sentinel_user=watch&sentinel_password=s";
    check(url, config);
    let servers = Servers::Cluster(vec![Address::new("h1", 6379), Address::new("h2", 7000)]);
    check("redis+cluster://h1,h2:7000", RedisConfig::new(servers.clone()));
    let tls = Some(Tls::default());
    check("rediss+cluster://h1,h2:7000", RedisConfig { tls, ..RedisConfig::new(servers) });
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let scheme = "the URL of a Redis backend must begin with redis://, rediss://, \
                  redis+sentinel:// or redis+cluster://, as in redis://localhost:6379";
    for url in ["memcached://h", "localhost:6379", "", "redis:/h", "unix:///run/redis"] {
        refused(url, scheme);
    }
    let host = |number| {
        format!(
            "host number {number} of the URL is none; write host, host:port or [IPv6]:port, and \
             percent-encode '@', '/', '?' and '#' in user and password"
        )
    };
    refused("redis://", &host(1));
    refused("redis://h:port", &host(1));
    refused("redis+cluster://h1,,h3", &host(2));
    refused("redis://[::1", &host(1));
    refused(
        "redis://a,b",
        "redis:// takes one host; for several write redis+sentinel:// or redis+cluster://",
    );
    refused("redis://h/db", "the path of redis:// is a database number, as in redis://localhost/0");
    refused("redis+cluster://h/0", "redis+cluster:// takes no path: a Cluster has database 0 only");
    refused(
        "redis+sentinel://h",
        "the path of redis+sentinel:// names the service, as in \
         redis+sentinel://host:26379/mymaster",
    );
}

#[test]
fn mistaken_parameters_are_named() {
    refused(
        "redis://h?time_out=1s",
        "a URL of Redis has no parameter \"time_out\"; did you mean timeout?",
    );
    refused(
        "redis://h?insecure=1",
        "a URL of Redis has no parameter \"insecure\"; known: timeout, bulk_timeout, \
         connect_timeout, protocol, prefix, max_value, ca, sentinel_user, sentinel_password",
    );
    refused("redis://h?timeout=1s&timeout=2s", "parameter timeout stands twice; write it once");
    refused(
        "redis://h?timeout=0",
        "parameter timeout: a TTL of zero is not allowed; give at least 1ms, or delete the entry",
    );
    refused("redis://h?protocol=4", "parameter protocol is 2 or 3");
    refused(
        "redis://h?max_value=10",
        "parameter max_value is a number of bytes from 1024 to 512000000",
    );
    refused("redis://h?ca=x", "parameter ca is for rediss:// only");
    refused("redis://h?sentinel_user=x", "parameter sentinel_user is for redis+sentinel:// only");
    refused("redis://h?prefix=", "parameter prefix is not percent-encoded UTF-8, or empty");
}

#[test]
fn no_secret_is_shown() {
    let url = "redis+sentinel://admin:s3cret@h/mymaster?sentinel_user=root&sentinel_password=t0p";
    let config: RedisConfig = url.parse().unwrap();
    let shown = format!("{config:?}");
    for secret in ["s3cret", "t0p", "admin", "root"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    // Passwords that were not encoded end up anywhere.
    for url in [
        "redis://u:s3cret",
        "redis://u:s3cret@h:s3cret",
        "redis://u:p?s3cret@h",
        "redis://u:p?s3cret=1@h",
        "redis://u:p/s3cret@h",
        "redis://u:s3cret@h?s3cret!",
        "valkey://u:s3cret@h",
        "redis://u:s3cret%FF@h",
    ] {
        let error = url.parse::<RedisConfig>().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{url}: {shown}");
    }
}
