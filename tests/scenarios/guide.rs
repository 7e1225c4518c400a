//! The guide: its examples run, its results are what comes, and it names every option, metric and field of the report.
//!
//! The blocks of a section run in order in a session of its own, behind those of the first section, which all share.
//! `UPDATE_EXPECT=1` writes results that are shown in full into the guide.

mod api;

use std::collections::BTreeSet;
use std::path::PathBuf;

use datafusion::arrow::array::AsArray;
use paceline_engine::observe::{prometheus, table};
use paceline_engine::{Outcome, function_options};
use paceline_tests::{QUICK, Stage};

const API: &str = "https://api.example.com";
const SECRETS: &str = "/run/secrets";
/// In a result it stands for any lines.
const ANY: &str = "…";

fn path() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().join("docs/guide.md")
}

fn guide() -> String {
    std::fs::read_to_string(path()).unwrap()
}

/// A block between fences.
struct Block {
    section: String,
    language: String,
    line: usize,
    text: String,
}

fn blocks(guide: &str) -> Vec<Block> {
    let (mut blocks, mut section) = (Vec::new(), String::new());
    let mut lines = guide.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let (section, text) = (section.clone(), text.join("\n"));
            blocks.push(Block { section, language: language.to_owned(), line: at + 1, text });
        }
    }
    blocks
}

/// What a person sees; plans and descriptions without the frame of a table.
fn shown(outcomes: &[Outcome]) -> String {
    let rows = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Rows { schema, batches } if ["plan", "function_desc"].contains(&schema.field(0).name().as_str()) => {
            let texts = batches.iter().flat_map(|batch| batch.column(0).as_string::<i32>().iter().flatten());
            Some(texts.map(str::trim_end).collect::<Vec<_>>().join("\n"))
        }
        Outcome::Rows { schema, batches } => Some(table::format(schema, batches)),
        _ => None,
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// Whether `found` is what the guide shows, where [`ANY`] stands for any lines.
fn fits(found: &str, expected: &str) -> bool {
    let is_any = |line: &&str| line.trim() == ANY;
    let expected: Vec<_> = expected.lines().collect();
    let mut left: Vec<_> = found.lines().collect();
    let parts: Vec<_> = expected.split(|line| is_any(line)).collect();
    let last = parts.len() - 1;
    for (number, part) in parts.into_iter().enumerate() {
        let places = 0..=left.len().saturating_sub(part.len());
        let here = |at: &usize| left[*at..].starts_with(part) && (number > 0 || *at == 0);
        let here = |at: &usize| here(at) && (number < last || at + part.len() == left.len());
        let Some(at) = places.into_iter().find(here) else { return false };
        left.drain(..at + part.len());
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs_and_shows_what_the_guide_says() {
    let mut text = guide();
    let blocks = blocks(&text);
    let url = api::serve();
    let first = &blocks.first().unwrap().section;
    let sections: BTreeSet<_> = blocks.iter().map(|block| &block.section).collect();
    let (mut wrong, mut names) = (Vec::new(), BTreeSet::new());
    for section in sections {
        let stage = Stage::set(QUICK).await;
        stage.file("token", "of-the-example\n");
        let folder = stage.folder.path().to_str().unwrap();
        let of_it = |block: &&Block| block.section == *first || block.section == *section;
        let of_it: Vec<_> = blocks.iter().filter(of_it).collect();
        for (at, block) in of_it.iter().enumerate().filter(|(_, block)| block.language == "sql") {
            let script = block.text.replace(API, &url).replace(SECRETS, folder);
            let (report, result) = stage.run(&script).await;
            for function in report.functions.values() {
                let fields = serde_json::to_value(function).unwrap();
                names.extend(fields.as_object().unwrap().keys().cloned());
            }
            let found = match result {
                Ok(outcomes) => shown(&outcomes).replace(&url, API).replace(folder, SECRETS),
                Err(error) => {
                    wrong.push(format!("line {}: {error}", block.line));
                    continue;
                }
            };
            let Some(expected) = of_it.get(at + 1).filter(|next| next.language == "text") else { continue };
            if fits(&found, &expected.text) {
                continue;
            }
            wrong.push(format!("line {}: the result is\n{found}", expected.line));
            if !expected.text.contains(ANY) {
                let block = |result: &str| format!("```sql\n{}\n```\n\n```text\n{result}\n```", block.text);
                text = text.replace(&block(&expected.text), &block(&found));
            }
        }
        let metrics = prometheus::text(&stage.session.metrics().unwrap()).unwrap();
        names.extend(
            metrics.lines().filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned())),
        );
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path(), &text).unwrap();
        wrong.retain(|wrong| !wrong.contains("the result is"));
    }
    assert!(wrong.is_empty(), "docs/guide.md:\n{}", wrong.join("\n"));
    assert!(names.len() > 20, "{names:?}");
    check_named(names.iter().map(String::as_str));
}

#[test]
fn every_option_is_in_the_guide() {
    check_named(function_options().map(|row| row.key).chain(paceline_udfs::METADATA.iter().map(|(field, _)| *field)));
}

fn check_named<'a>(names: impl Iterator<Item = &'a str>) {
    let guide = guide();
    let missing: Vec<_> = names.filter(|name| !guide.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/guide.md does not name {}", missing.join(", "));
}

#[test]
fn a_result_may_be_shown_in_part() {
    for (expected, fit) in [
        ("a\nb\nc", true),
        ("a\n…", true),
        ("…\nc", true),
        ("…\nb\n…", true),
        ("a\n…\nc", true),
        ("b\n…", false),
        ("a", false),
    ] {
        assert_eq!(fits("a\nb\nc", expected), fit, "{expected}");
    }
}
