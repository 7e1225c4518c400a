//! Every function that there is.

use paceline_functions::{Resolve, all};

use super::Both;
use super::arguments::calls;

/// So many different calls of a function are run.
const CALLS: usize = 3;

/// The statements that have a call in them.
fn statements(call: &str, resolve: &Resolve) -> Vec<String> {
    match resolve {
        Resolve::Aggregate(_) => vec![
            format!("SELECT {call} FROM t"),
            format!("SELECT g, {call}, count(*) FROM t GROUP BY g"),
            format!("SELECT g, {call} FILTER (WHERE i > 2) FROM t GROUP BY g"),
            format!(
                "SELECT l, {call} OVER (PARTITION BY g ORDER BY l ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t"
            ),
        ],
        Resolve::Generator(_) => {
            vec![format!("SELECT {call} FROM t"), format!("SELECT * FROM t LATERAL VIEW OUTER {call} x")]
        }
        _ => vec![format!("SELECT {call}, l FROM t"), format!("SELECT count(*), {call} FROM t GROUP BY {call}")],
    }
}

#[tokio::test]
async fn every_function_gives_the_same_on_the_other_side() {
    let mut both = Both::new().await;
    let (mut wrong, mut uncalled, mut run) = (Vec::new(), Vec::new(), 0);
    for function in all() {
        let tried = calls(function.name, &function.resolve);
        let is_expected = !tried.is_empty();
        let mut found = 0;
        for call in tried {
            let [first, others @ ..] = &statements(&call, &function.resolve)[..] else { unreachable!("there are two") };
            let Ok(resolved) = both.resolve(first) else { continue };
            wrong.extend(both.difference(first, &resolved, None).await);
            run += 1;
            for text in others {
                if let Ok(resolved) = both.resolve(text) {
                    wrong.extend(both.difference(text, &resolved, None).await);
                    run += 1;
                }
            }
            found += 1;
            if found == CALLS {
                break;
            }
        }
        if is_expected && found == 0 {
            uncalled.push(function.name);
        }
    }
    assert!(wrong.is_empty(), "{} of {run}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(uncalled.is_empty(), "no call was found for {uncalled:?}");
    assert!(run > 1_000, "{run} statements");
}
