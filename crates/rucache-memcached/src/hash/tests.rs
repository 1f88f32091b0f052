//! Tests of `hash`.

use super::*;

fn servers() -> Vec<Server> {
    ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|server| server.parse().unwrap()).to_vec()
}

/// Numbers of two billion onwards, as entries are called.
fn names() -> impl Iterator<Item = String> {
    (20_100_000_000_u64..20_100_030_000).map(|number| format!("migo:ruc_{number}"))
}

#[test]
fn hash_never_changes() {
    assert_eq!(hash(b""), 0xf52a_15e9_a9b5_e89b);
    assert_eq!(hash(b"a"), 0x02c0_bdbf_4814_20f8);
    assert_eq!(hash(b"migo:ruc_20131312955"), 0xb5ea_c77a_7029_b90b);
    assert_eq!(hash("ñ".as_bytes()), 0x972a_8345_11af_0282);
}

#[test]
fn node_of_a_name_never_moves() {
    let router = Router::new(&servers());
    let nodes = [
        ("migo:ruc_20131312955", 0),
        ("migo:ruc_20100047218", 1),
        ("migo:ruc_20100070970", 1),
        ("migo:ruc_10419374651", 0),
        ("migo:ruc_20512528458", 2),
        ("migo:ruc_20100017491", 0),
        ("electro_isla:migo:ruc_20131312955", 2),
        ("~m:{lookup:index}:3fa", 0),
    ];
    for (name, node) in nodes {
        assert_eq!(router.node_of(name.as_bytes()), node, "{name}");
    }
}

#[test]
fn order_of_the_list_means_nothing() {
    let (forth, mut back) = (servers(), servers());
    back.reverse();
    let (one, other) = (Router::new(&forth), Router::new(&back));
    for name in names().take(1_000) {
        let (one, other) = (one.node_of(name.as_bytes()), other.node_of(name.as_bytes()));
        assert_eq!(forth[one], back[other], "{name}");
    }
}

#[test]
fn node_that_leaves_moves_its_own_names_only() {
    let (all, rest) = (Router::new(&servers()), Router::new(&servers()[..2]));
    let moved = |name: &String| all.node_of(name.as_bytes()) != rest.node_of(name.as_bytes());
    assert!(names().filter(moved).all(|name| all.node_of(name.as_bytes()) == 2));
}

#[test]
fn names_spread_evenly() {
    let router = Router::new(&servers());
    let mut nodes = [0; 3];
    names().for_each(|name| nodes[router.node_of(name.as_bytes())] += 1);
    assert_eq!(nodes, [10_092, 10_001, 9_907]);
}

#[test]
fn bucket_of_a_member_never_moves() {
    let buckets = ["20131312955", "20100047218", "a b", "ñ"].map(bucket_of);
    assert_eq!(buckets, [3_691, 2_039, 3_403, 2_418]);
}
