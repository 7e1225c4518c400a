//! What the grammar takes and Spark's parser refuses all the same.
//! The first refusal is told, if the rest of the text is a sentence.

use super::cursor::{Parsed, Parser, Syntax};
use crate::tree::Span;

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub class: &'static str,
    pub message: String,
    pub span: Option<Span>,
    /// Told even if the text is no sentence.
    pub final_: bool,
}

impl Parser<'_> {
    pub fn refuse(&mut self, class: &'static str, message: impl Into<String>, span: Span) {
        let refusal = Refusal { class, message: message.into(), span: Some(span), final_: false };
        self.refusal.get_or_insert(refusal);
    }

    /// `Operation not allowed: …`
    pub fn not_allowed(&mut self, what: &str, span: Span) {
        self.refuse("_LEGACY_ERROR_TEMP_0035", format!("Operation not allowed: {what}."), span);
    }

    /// Found the same clause again.
    pub fn duplicate_clause(&mut self, clause: &str, span: Span) {
        self.refuse(
            "DUPLICATE_CLAUSES",
            format!("Found duplicate clauses: {clause}. Please, remove one of them."),
            span,
        );
    }

    /// Ends the reading.
    pub fn stop<T>(&mut self, class: &'static str, message: &str, span: Span) -> Parsed<T> {
        self.refusal = Some(Refusal { class, message: message.to_owned(), span: Some(span), final_: true });
        Err(Syntax)
    }
}
