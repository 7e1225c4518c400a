//! `array_sort` by a function of two elements: the arrays of all rows are merged in step, so that each round asks the function
//! once for all of them.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::Int32Type;
use datafusion::common::{Result, exec_err};

use super::{LambdaCall, LambdaKernel};
use crate::Error;
use crate::nested::{ListMaker, Lists, pick};

pub(super) static SORT: LambdaKernel = LambdaKernel { name: "spark_array_sort", run: sort };

/// Two runs of a row that are being merged.
struct Merge {
    row: usize,
    left: std::collections::VecDeque<usize>,
    right: std::collections::VecDeque<usize>,
    merged: Vec<usize>,
}

fn sort(call: &LambdaCall<'_>) -> Result<ArrayRef> {
    let lists = Lists::new(call.value(0)?)?;
    let mut runs: Vec<Vec<Vec<usize>>> =
        (0..call.rows).map(|row| lists.range(row).unwrap_or(0..0).map(|at| vec![at]).collect()).collect();
    while runs.iter().any(|runs| runs.len() > 1) {
        let mut merges: Vec<Merge> = Vec::new();
        let mut next: Vec<Vec<Vec<usize>>> = Vec::with_capacity(runs.len());
        for (row, runs) in runs.into_iter().enumerate() {
            let mut runs = runs.into_iter();
            let mut odd = Vec::new();
            while let Some(left) = runs.next() {
                match runs.next() {
                    Some(right) => {
                        merges.push(Merge { row, left: left.into(), right: right.into(), merged: Vec::new() });
                    }
                    None => odd.push(left),
                }
            }
            next.push(odd);
        }
        merge_all(call, &lists, &mut merges)?;
        // The run that found no partner is the last one of its row, and stays so.
        let odd = std::mem::replace(&mut next, vec![Vec::new(); call.rows]);
        for merge in merges {
            next[merge.row].push(merge.merged);
        }
        next.iter_mut().zip(odd).for_each(|(runs, odd)| runs.extend(odd));
        runs = next;
    }
    let mut maker = ListMaker::default();
    for (row, runs) in runs.into_iter().enumerate() {
        if lists.range(row).is_none() {
            maker.close_null();
            continue;
        }
        runs.into_iter().flatten().for_each(|at| maker.push(at));
        maker.close();
    }
    maker.finish(lists.values(), call.returns.data_type())
}

fn merge_all(call: &LambdaCall<'_>, lists: &Lists, merges: &mut [Merge]) -> Result<()> {
    loop {
        let open: Vec<usize> =
            (0..merges.len()).filter(|at| !merges[*at].left.is_empty() && !merges[*at].right.is_empty()).collect();
        if open.is_empty() {
            break;
        }
        let head = |side: fn(&Merge) -> Option<&usize>| open.iter().map(|at| side(&merges[*at]).copied()).collect();
        let variables = [
            pick(lists.values(), head(|merge| merge.left.front()))?,
            pick(lists.values(), head(|merge| merge.right.front()))?,
        ];
        let row_of: UInt32Array = open.iter().map(|at| u32::try_from(merges[*at].row).ok()).collect();
        let orders = call.evaluate(0, &variables, &row_of)?;
        let Some(orders) = orders.as_primitive_opt::<Int32Type>() else {
            return exec_err!("a comparator gives an int, not {}", orders.data_type());
        };
        for (order, at) in open.into_iter().enumerate() {
            if orders.is_null(order) {
                let what = "The comparator has returned a NULL for a comparison between two elements. It should return a \
                            positive integer for \"greater than\", 0 for \"equal\" and a negative integer for \"less than\".";
                return Err(Error::new("COMPARATOR_RETURNS_NULL", what).into());
            }
            let merge = &mut merges[at];
            let taken = if orders.value(order) <= 0 { merge.left.pop_front() } else { merge.right.pop_front() };
            merge.merged.extend(taken);
        }
    }
    for merge in merges {
        merge.merged.extend(merge.left.drain(..).chain(merge.right.drain(..)));
    }
    Ok(())
}
