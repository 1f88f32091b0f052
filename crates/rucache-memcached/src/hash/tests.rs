use super::*;

fn servers() -> Vec<Server> {
    ["10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211"]
        .map(|server| server.parse().unwrap())
        .to_vec()
}

#[test]
fn hash_of_bytes_never_changes() {
    assert_eq!(hash(b""), 0);
}
