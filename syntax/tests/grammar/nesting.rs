//! What is too deep is refused, what is merely long is taken, and neither overflows the stack.

use expect_test::{Expect, expect};
use paceline_syntax::{Settings, parse_statement};

use crate::sketch::refused;

/// Read, compared, copied and dropped on a small stack.
fn check(sql: String, expected: Expect) {
    let read = move || match parse_statement(&sql, Settings::default()) {
        Ok(tree) => (tree.clone() == tree).to_string(),
        Err(error) => refused(&error),
    };
    let reader = std::thread::Builder::new().stack_size(2 << 20).spawn(read).unwrap();
    expected.assert_eq(&reader.join().unwrap());
}

fn nested(open: &str, inner: &str, close: &str, depth: usize) -> String {
    format!("SELECT {}{inner}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn deep_statements_are_taken_up_to_a_limit() {
    check(nested("(", "1", ")", 200), expect!["true"]);
    check(nested("f(", "1", ")", 200), expect!["true"]);
    check(nested("(SELECT ", "1", ")", 100), expect!["true"]);
    check(nested("((SELECT 1) + ", "1", ")", 100), expect!["true"]);
    check(format!("SELECT CAST(a AS {}INT{})", "ARRAY<".repeat(200), ">".repeat(200)), expect!["true"]);
}

#[test]
fn deeper_statements_are_refused() {
    check(
        nested("(", "1", ")", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:262)"
        ],
    );
    check(
        nested("f(", "1", ")", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:517)"
        ],
    );
    check(
        nested("(SELECT ", "1", ")", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:1024)"
        ],
    );
    check(
        nested("CASE WHEN ", "1", " THEN 1 END", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:2557)"
        ],
    );
    check(
        nested("NOT ", "a", "", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:1027)"
        ],
    );
    check(
        nested("- ", "a", "", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:517)"
        ],
    );
    check(
        nested("a", "", "[0]", 100_000),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:106007)"
        ],
    );
    check(
        nested("a", " + a", "", 1).replace("a + a", &"a + ".repeat(100_000)) + "a",
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:8013)"
        ],
    );
    check(
        format!("SELECT CAST(a AS {}INT{})", "ARRAY<".repeat(100_000), ">".repeat(100_000)),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:1541)"
        ],
    );
    check(
        format!("SELECT * FROM {}t{}", "(".repeat(100_000), ")".repeat(100_000)),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:269)"
        ],
    );
    let refused = |sql: String| assert!(parse_statement(&sql, Settings::default()).is_err());
    refused("SELECT * FROM (".repeat(100_000));
    refused("WITH a AS (".repeat(100_000));
    refused(format!("SELECT TRANSFORM (a) USING 'x' AS {}", "(".repeat(100_000)));
    refused(format!("SELECT 1 FROM t GROUP BY {}", "GROUPING SETS (".repeat(100_000)));
    check(
        format!("{}SELECT 1", "EXPLAIN ".repeat(100_000)),
        expect![
            "FAILED_TO_PARSE_TOO_COMPLEX: The statement nests more than 256 levels, or 2000 operators, deep. (1:2056)"
        ],
    );
}

#[test]
fn long_statements_are_taken() {
    let long = |part: &str, by: &str| vec![part; 20_000].join(by);
    check(format!("SELECT {}", long("a", " OR ")), expect!["true"]);
    check(format!("SELECT {}", long("a = 1", " AND ")), expect!["true"]);
    check(format!("SELECT {}", vec!["a * b"; 1_000].join(" + ")), expect!["true"]);
    check(long("SELECT 1", " UNION ALL "), expect!["true"]);
    check(format!("SELECT * FROM {}", long("t", " JOIN ")), expect!["true"]);
    check(format!("VALUES {}", long("(1 + 1, 'a')", ", ")), expect!["true"]);
    check(format!("SELECT {}", long("a + b * c", ", ")), expect!["true"]);
}
