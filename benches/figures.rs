//! Figures of several runs, shown beside their targets.

use std::fmt::Display;

/// The median; `values` is not empty.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A table that is printed as it grows, and knows whether every target is met.
#[derive(Debug)]
pub struct Table {
    all_met: bool,
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
impl Table {
    /// Prints the heading.
    pub fn begin(title: impl Display) -> Self {
        println!("\n{title}\n\n| figure | measured | target | met |\n|---|---|---|---|");
        Table { all_met: true }
    }

    /// A figure that must be at least `target`.
    pub fn at_least(&mut self, name: &str, figure: f64, target: f64) {
        self.line(name, figure, format!("≥ {}", short(target)), figure >= target);
    }

    /// A figure that must be at most `target`.
    pub fn at_most(&mut self, name: &str, figure: f64, target: f64) {
        self.line(name, figure, format!("≤ {}", short(target)), figure <= target);
    }

    /// A figure without a target.
    pub fn only(&mut self, name: &str, figure: f64) {
        println!("| {name} | {} | | |", short(figure));
    }

    /// Whether every figure so far met its target.
    pub fn all_met(&self) -> bool {
        self.all_met
    }

    fn line(&mut self, name: &str, figure: f64, target: String, met: bool) {
        self.all_met &= met;
        println!("| {name} | {} | {target} | {} |", short(figure), if met { "yes" } else { "NO" });
    }
}

/// Three digits after the point where they say something, thousands apart.
fn short(figure: f64) -> String {
    if figure.fract() != 0.0 && figure.abs() < 1000.0 {
        return format!("{figure:.3}");
    }
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && text != "-" {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
