//! How the house is kept: edges between crates, the size of files, their first line and their names.
#![expect(clippy::unwrap_used, reason = "a check that cannot look fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A crate of the workspace and the crates it may use.
const EDGES: &[(&str, &[&str])] = &[
    ("paceline-syntax", &[]),
    ("paceline-udfs", &[]),
    ("paceline-functions", &[]),
    ("paceline-sql", &["paceline-udfs", "paceline-syntax", "paceline-functions"]),
    ("paceline-engine", &["paceline-udfs", "paceline-functions", "paceline-sql"]),
    ("paceline-service", &["paceline-engine"]),
    ("paceline", &["paceline-engine", "paceline-service"]),
    ("paceline-python", &["paceline-engine", "paceline"]),
    ("paceline-tests", &["paceline-engine", "paceline-udfs"]),
    ("paceline-benches", &["paceline-engine", "paceline-udfs"]),
];

/// Crates of others that only some of ours may know. The benches compare the engine with a bare loop over reqwest.
const RESERVED: &[(&str, &[&str])] = &[
    ("datafusion", &["paceline-functions", "paceline-sql", "paceline-engine", "paceline-tests"]),
    ("datafusion-datasource", &["paceline-engine"]),
    ("reqwest", &["paceline-udfs", "paceline-service", "paceline-benches"]),
    ("governor", &["paceline-udfs"]),
];

const MOST_LINES: usize = 400;
const NAMES_THAT_SAY_NOTHING: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

fn root() -> PathBuf {
    // Asked for when it runs: several checkouts may share one target directory, and with it this binary.
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_owned()
}

fn manifests() -> BTreeMap<String, toml::Table> {
    let workspace: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let read = |member: &toml::Value| {
        let text = std::fs::read_to_string(root().join(member.as_str().unwrap()).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        (manifest["package"]["name"].as_str().unwrap().to_owned(), manifest)
    };
    members.iter().map(read).collect()
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = tables.iter().filter_map(|table| manifest.get(*table)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for member in ["syntax", "functions", "udfs", "sql", "engine", "service", "bin", "python", "tests", "benches"] {
        walk(&root().join(member), &mut files);
    }
    assert!(files.len() > 30, "the sources were not found");
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let manifests = manifests();
    assert_eq!(manifests.len(), EDGES.len(), "EDGES names every crate of the workspace");
    for (name, manifest) in &manifests {
        let allowed = EDGES.iter().find(|(from, _)| from == name).unwrap_or_else(|| panic!("{name} is not in EDGES")).1;
        for dependency in dependencies(manifest) {
            let ours = manifests.contains_key(&dependency);
            assert!(!ours || allowed.contains(&dependency.as_str()), "{name} must not use {dependency}");
            let reserved = RESERVED.iter().find(|(krate, _)| *krate == dependency);
            assert!(reserved.is_none_or(|(_, by)| by.contains(&name.as_str())), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn sql_knows_nothing_of_api_functions_but_their_declaration() {
    let mut files = Vec::new();
    walk(&root().join("sql"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, _) in text.match_indices("paceline_udfs::") {
            let used = &text[at + "paceline_udfs::".len()..];
            let allowed = used.starts_with("spec") || used.starts_with("ApiFunction");
            assert!(allowed, "{} uses paceline_udfs::{}", file.display(), used.lines().next().unwrap_or_default());
        }
    }
}

#[test]
fn files_are_short_say_what_they_are_for_and_have_names() {
    for file in rust_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let shown = file.display();
        assert!(text.starts_with("//! "), "{shown} does not begin with a line that says what it is for");
        let lines = text.lines().count();
        let excused = text.lines().take(12).any(|line| line.starts_with("//! Over 400 lines because "));
        assert!(lines <= MOST_LINES || excused, "{shown} has {lines} lines");
        for part in file.strip_prefix(root()).unwrap().iter() {
            let part = part.to_str().unwrap().trim_end_matches(".rs");
            assert!(!NAMES_THAT_SAY_NOTHING.contains(&part), "{shown}: '{part}' says nothing");
        }
    }
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let entries = std::fs::read_dir(root().join("docs/decisions")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    for (at, name) in names.iter().enumerate() {
        assert!(
            name.starts_with(&format!("{:04}-", at + 1)) && name.ends_with(".md"),
            "{name} is not number {}",
            at + 1
        );
    }
    assert!(!names.is_empty());
}
