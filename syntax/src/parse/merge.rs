//! `MERGE`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Merge, MergeAction, MergeClause, MergeSource, Span};

impl Parser<'_> {
    pub fn merge(&mut self, start: Span) -> Parsed<Merge> {
        self.expect_words(&["MERGE", "INTO"])?;
        let target = self.reference()?;
        let target_alias = self.alias_without_columns("MERGE")?.name;
        self.expect_word("USING")?;
        let source = if self.is(Kind::LeftParen) {
            MergeSource::Query(Box::new(self.parenthesized(Self::query)?))
        } else {
            MergeSource::Table(self.reference()?)
        };
        let source_alias = self.alias_without_columns("MERGE")?.name;
        self.expect_word("ON")?;
        let condition = self.expression()?;
        let (mut matched, mut not_matched, mut by_source) = (Vec::new(), Vec::new(), Vec::new());
        while not_matched.is_empty() && by_source.is_empty() && self.take_words(&["WHEN", "MATCHED"]) {
            matched.push(self.merge_clause(Self::matched_action)?);
        }
        while by_source.is_empty() && self.is_words(&["WHEN", "NOT", "MATCHED"]) && !self.by_source_ahead() {
            self.skip(3);
            self.take_words(&["BY", "TARGET"]);
            not_matched.push(self.merge_clause(Self::insert_action)?);
        }
        while self.is_words(&["WHEN", "NOT", "MATCHED"]) && self.by_source_ahead() {
            self.skip(5);
            by_source.push(self.merge_clause(Self::unmatched_action)?);
        }
        self.check_clauses(&[&matched, &not_matched, &by_source], start);
        Ok(Merge {
            target,
            target_alias,
            source,
            source_alias,
            condition,
            matched,
            not_matched,
            not_matched_by_source: by_source,
        })
    }

    fn by_source_ahead(&self) -> bool {
        self.word_at(3, "BY") && self.word_at(4, "SOURCE")
    }

    fn merge_clause(&mut self, action: fn(&mut Self) -> Parsed<MergeAction>) -> Parsed<MergeClause> {
        let condition = if self.take_word("AND") { Some(self.expression()?) } else { None };
        self.expect_word("THEN")?;
        Ok(MergeClause { condition, action: action(self)? })
    }

    fn matched_action(&mut self) -> Parsed<MergeAction> {
        if self.is_words(&["UPDATE", "SET"]) && self.peek(2).kind == Kind::Asterisk {
            self.skip(3);
            return Ok(MergeAction::UpdateAll);
        }
        self.unmatched_action()
    }

    fn unmatched_action(&mut self) -> Parsed<MergeAction> {
        if self.take_word("DELETE") {
            return Ok(MergeAction::Delete);
        }
        self.expect_words(&["UPDATE", "SET"])?;
        self.list(Self::assignment).map(MergeAction::Update)
    }

    fn insert_action(&mut self) -> Parsed<MergeAction> {
        let start = self.expect_word("INSERT")?;
        if self.take(Kind::Asterisk) {
            return Ok(MergeAction::InsertAll);
        }
        let columns = self.parenthesized(|parser| parser.list(Self::multipart_identifier))?;
        self.expect_word("VALUES")?;
        let values = self.parenthesized(Self::expressions)?;
        if columns.len() != values.len() {
            let message = "The number of inserted values cannot match the fields.";
            self.refuse("_LEGACY_ERROR_TEMP_0006", message, start);
        }
        Ok(MergeAction::Insert(columns, values))
    }

    /// Only the last clause of a kind can do without a condition.
    fn check_clauses(&mut self, kinds: &[&Vec<MergeClause>; 3], start: Span) {
        if kinds.iter().all(|clauses| clauses.is_empty()) {
            let message = "There must be at least one WHEN clause in a MERGE statement.";
            self.refuse("_LEGACY_ERROR_TEMP_0008", message, start);
        }
        let names = [
            ("NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION", "MATCHED"),
            ("NON_LAST_NOT_MATCHED_BY_TARGET_CLAUSE_OMIT_CONDITION", "NOT MATCHED [BY TARGET]"),
            ("NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION", "NOT MATCHED BY SOURCE"),
        ];
        for (clauses, (class, name)) in kinds.iter().zip(names) {
            let last = clauses.len().saturating_sub(1);
            if clauses[..last].iter().any(|clause| clause.condition.is_none()) {
                let message = format!(
                    "When there are more than one {name} clauses in a MERGE statement, only the last {name} clause can \
                     omit the condition."
                );
                self.refuse(class, message, start);
            }
        }
    }
}
