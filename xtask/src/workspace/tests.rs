//! The reading of `cargo metadata`, on a sample of its output.

use serde_json::json;

use super::*;

fn sample() -> Workspace {
    let dependency = |name: &str, kind: Value| json!({ "name": name, "kind": kind });
    let edge = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind, "target": null }] });
    let metadata = json!({
        "workspace_members": ["id:b", "id:a"],
        "packages": [
            {
                "id": "id:b", "name": "b", "version": "0.1.0", "manifest_path": "/ws/crates/b/Cargo.toml",
                "publish": null, "features": { "default": ["x"], "x": [] },
                "targets": [{ "kind": ["lib"] }, { "kind": ["test"] }],
                "dependencies": [dependency("a", Value::Null), dependency("dev", "dev".into()), dependency("cc", "build".into())],
            },
            {
                "id": "id:a", "name": "a", "version": "0.0.0", "manifest_path": "/ws/a/Cargo.toml",
                "publish": [], "features": {}, "targets": [{ "kind": ["bin"] }], "dependencies": [],
            },
            { "id": "id:dev", "name": "dev" }, { "id": "id:cc", "name": "cc" }, { "id": "id:deep", "name": "deep" },
        ],
        "resolve": { "nodes": [
            { "id": "id:b", "deps": [edge("id:a", Value::Null), edge("id:dev", "dev".into()), edge("id:cc", "build".into())] },
            { "id": "id:a", "deps": [edge("id:deep", Value::Null)] },
            { "id": "id:dev", "deps": [] }, { "id": "id:cc", "deps": [] }, { "id": "id:deep", "deps": [] },
        ] },
    });
    Workspace::from_metadata(PathBuf::from("/ws"), &metadata).unwrap()
}

#[test]
fn members_are_read_with_folder_publication_and_features() {
    let workspace = sample();
    let names: Vec<_> = workspace.packages.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let b = workspace.package("b").unwrap();
    assert_eq!((b.folder.as_str(), b.library, b.publish), ("crates/b", true, true));
    assert_eq!(b.features, ["default", "x"]);
    let kinds: Vec<_> = b.dependencies.iter().map(|d| d.kind).collect();
    assert_eq!(kinds, [Kind::Normal, Kind::Dev, Kind::Build]);
    let a = workspace.package("a").unwrap();
    assert_eq!((a.folder.as_str(), a.library, a.publish), ("a", false, false));
}

#[test]
fn a_path_follows_normal_dependencies_only() {
    let workspace = sample();
    assert_eq!(workspace.path("b", "deep").unwrap(), ["b", "a", "deep"]);
    assert_eq!(workspace.path("b", "dev"), None);
    assert_eq!(workspace.path("b", "cc"), None);
}

#[test]
fn metadata_of_another_shape_is_refused() {
    let message =
        Workspace::from_metadata(PathBuf::from("/ws"), &json!({})).unwrap_err().to_string();
    assert!(message.contains("null"), "{message}");
}
