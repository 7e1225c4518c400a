//! Functions with a syntax of their own.

use paceline_functions::{DataType, Result, Typed, percentile_within};
use paceline_syntax::tree::{CurrentValue, Percentile, SpecialForm, WrittenUnit};

use super::{Names, Resolver};

impl Resolver<'_> {
    pub(crate) fn special(&mut self, form: &SpecialForm, names: Names<'_>) -> Result<Typed> {
        match form {
            SpecialForm::Current(value, _) => {
                let name = match value {
                    CurrentValue::Date => "current_date",
                    CurrentValue::Timestamp => "current_timestamp",
                    CurrentValue::User => "current_user",
                };
                self.call_named(name, Vec::new())
            }
            SpecialForm::Extract(field, source) => {
                let source = self.expr(source, names)?;
                let name = format!("extract({} FROM {})", field.value, source.name);
                let field = Typed::literal(field.value.as_str().into(), DataType::String, &field.value);
                let typed = self.call_named("date_part", vec![field, source])?;
                Ok(Typed { name, ..typed })
            }
            SpecialForm::Substring(text, start, length) => {
                let arguments = self.exprs([text, start].into_iter().chain(length), names)?;
                self.call_named("substring", arguments)
            }
            SpecialForm::Trim { side, characters, text } => {
                let text = self.expr(text, names)?;
                let (function, side) = match *side {
                    "leading" => ("ltrim", "LEADING"),
                    "trailing" => ("rtrim", "TRAILING"),
                    _ => ("trim", "BOTH"),
                };
                let Some(characters) = characters else {
                    let name = format!("TRIM({side} FROM {})", text.name);
                    let typed = self.call_named(function, vec![text])?;
                    return Ok(if side == "BOTH" { typed } else { Typed { name, ..typed } });
                };
                let characters = self.expr(characters, names)?;
                let name = format!("TRIM({side} {} FROM {})", characters.name, text.name);
                // The two-argument ltrim and rtrim have the characters first; trim exists with this syntax only.
                let arguments = if function == "trim" { vec![text, characters] } else { vec![characters, text] };
                let typed = self.call_named(if function == "trim" { "btrim" } else { function }, arguments)?;
                Ok(Typed { name, ..typed })
            }
            SpecialForm::Overlay(text, replacement, start, length) => {
                let arguments = self.exprs([text, replacement, start].into_iter().chain(length), names)?;
                self.call_named("overlay", arguments)
            }
            SpecialForm::Position(part, text) => {
                let mut arguments = self.exprs([part, text], names)?;
                arguments.push(Typed::literal(1i32.into(), DataType::Int, "1"));
                self.call_named("locate", arguments)
            }
            SpecialForm::TimestampAdd(_, unit, amount, timestamp) => {
                let arguments = self.exprs([amount, timestamp], names)?;
                self.with_unit("timestampadd", unit, arguments)
            }
            SpecialForm::TimestampDiff(_, unit, from, to) => {
                let arguments = self.exprs([from, to], names)?;
                self.with_unit("timestampdiff", unit, arguments)
            }
            SpecialForm::Percentile(percentile) => self.percentile(percentile, names),
        }
    }

    fn with_unit(&mut self, function: &str, written: &WrittenUnit, rest: Vec<Typed>) -> Result<Typed> {
        let unit = format!("{:?}", written.unit).to_uppercase();
        let shown: Vec<&str> = rest.iter().map(|argument| argument.name.as_str()).collect();
        let name = format!("{function}({}, {})", written.word.value, shown.join(", "));
        let mut arguments = vec![Typed::literal(unit.as_str().into(), DataType::String, unit)];
        arguments.extend(rest);
        let typed = self.call_named(function, arguments)?;
        Ok(Typed { name, ..typed })
    }

    fn percentile(&mut self, percentile: &Percentile, names: Names<'_>) -> Result<Typed> {
        let function = if percentile.discrete { "percentile_disc" } else { "percentile_cont" };
        let (value, fraction) =
            (self.expr(&percentile.order_by.value, names)?, self.expr(&percentile.fraction, names)?);
        let (discrete, descending) = (percentile.discrete, percentile.order_by.descending);
        let typed = percentile_within(function, discrete, fraction, value, descending, &self.settings)?;
        let typed = self.filtered(typed, percentile.filter.as_ref(), names)?;
        match &percentile.over {
            Some(window) => self.over(typed, window, function, names),
            None => Ok(typed),
        }
    }
}
