//! Figures of several runs, shown beside their targets.

use std::fmt::Display;

/// The median; `values` is not empty.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// One line of the table: a name, the figure, the target and whether it is met.
pub fn line(name: &str, figure: f64, target: impl Display, met: bool) -> String {
    format!("| {name} | {figure:.3} | {target} | {} |", if met { "yes" } else { "NO" })
}
