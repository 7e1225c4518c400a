//! Looks ahead where keywords are names too: whether what comes is a clause or a name, a query or an expression.

use super::cursor::Parser;
use crate::token::Kind;

/// Nothing can follow a name, except one of these, at the end of what is read.
fn ends(kind: Kind) -> bool {
    matches!(kind, Kind::End | Kind::RightParen | Kind::Comma | Kind::Semicolon | Kind::RightBracket)
}

fn continues_a_name(kind: Kind) -> bool {
    use Kind::{Ampersand, Colon, Concat, Hat, Percent, Pipe, Slash};
    use Kind::{Arrow, BangEq, Dot, Eq, FatArrow, Gt, GtEq, LeftBracket, Lt, LtEq, NotEq, NullSafeEq};
    ends(kind)
        || matches!(
            kind,
            Arrow | BangEq | Dot | Eq | FatArrow | Gt | GtEq | LeftBracket | Lt | LtEq | NotEq | NullSafeEq
        )
        || matches!(kind, Ampersand | Colon | Concat | Hat | Percent | Pipe | Slash)
}

impl Parser<'_> {
    /// Whether what is read ends there.
    pub fn ends_at(&self, ahead: usize) -> bool {
        ends(self.peek(ahead).kind)
    }

    /// Whether what is read ends behind the parenthesis that closes the one there.
    pub fn ends_behind_parens(&self, ahead: usize) -> bool {
        ends(self.kind_behind_parens(ahead))
    }

    /// Whether the next word is this operator, and not a name at the end of what is read.
    pub fn operator_ahead(&self, keyword: &str) -> bool {
        self.is_word(keyword) && !ends(self.peek(1).kind)
    }

    /// Whether the next word is this keyword, and not a name that something is done with.
    pub fn keyword_ahead(&self, keyword: &str) -> bool {
        self.is_word(keyword) && !continues_a_name(self.peek(1).kind)
    }

    pub fn word_at_any(&self, ahead: usize, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.word_at(ahead, keyword))
    }

    /// Whether the next word opens a clause, so that it is no alias of what stands before it.
    pub fn clause_ahead(&self) -> bool {
        self.clause_at(0)
    }

    pub fn clause_at(&self, ahead: usize) -> bool {
        let next = self.peek(ahead + 1).kind;
        if self.peek(ahead).kind != Kind::Word {
            return false;
        }
        let follows = !ends(next);
        let then = ahead + 1;
        match self.text_of(self.peek(ahead).span).to_ascii_uppercase().as_str() {
            // `a FROM WHERE b` has no relation: FROM is a name there.
            "FROM" => follows && !self.clause_at(then),
            "WHERE" | "HAVING" | "LIMIT" | "OFFSET" | "SELECT" | "SET" => follows,
            "FOR" => follows,
            "GROUP" | "ORDER" | "SORT" | "CLUSTER" | "DISTRIBUTE" => self.word_at(then, "BY"),
            "WINDOW" => self.identifier_at(then) && self.word_at(then + 1, "AS"),
            "UNION" | "EXCEPT" | "MINUS" | "INTERSECT" => self.term_ahead(then),
            "LATERAL" => self.word_at(then, "VIEW"),
            "INSERT" => self.word_at_any(then, &["INTO", "OVERWRITE"]),
            "GROUPING" => self.word_at(then, "SETS"),
            "TABLESAMPLE" | "PIVOT" => next == Kind::LeftParen,
            "UNPIVOT" => next == Kind::LeftParen || self.word_at_any(then, &["INCLUDE", "EXCLUDE"]),
            "WHEN" => self.word_at_any(then, &["MATCHED", "NOT"]),
            "MAP" | "REDUCE" => self.query_at(ahead),
            "VERSION" | "SYSTEM_VERSION" | "TIMESTAMP" | "SYSTEM_TIME" => {
                self.word_at(then, "AS") && self.word_at(then + 1, "OF")
            }
            "ROW" => self.word_at(then, "FORMAT"),
            "USING" | "RECORDREADER" | "RECORDWRITER" => self.string_at(then),
            _ => false,
        }
    }

    /// Whether a right-hand side of UNION stands there.
    fn term_ahead(&self, ahead: usize) -> bool {
        let starts = &["SELECT", "ALL", "DISTINCT", "VALUES", "FROM", "TABLE", "MAP", "REDUCE"];
        self.peek(ahead).kind == Kind::LeftParen || self.word_at_any(ahead, starts)
    }

    /// Whether a query stands there, perhaps in parentheses.
    pub fn query_at(&self, ahead: usize) -> bool {
        let next = self.peek(ahead + 1).kind;
        let token = self.peek(ahead);
        if token.kind == Kind::LeftParen {
            return self.query_in_parens_at(ahead);
        }
        if token.kind != Kind::Word {
            return false;
        }
        match self.text_of(token.span).to_ascii_uppercase().as_str() {
            "SELECT" | "VALUES" => !continues_a_name(next),
            "FROM" => next == Kind::LeftParen || self.identifier_at(ahead + 1),
            "TABLE" => self.identifier_at(ahead + 1),
            "WITH" => {
                let named = self.identifier_at(ahead + 1);
                named && (self.word_at(ahead + 2, "AS") || self.peek(ahead + 2).kind == Kind::LeftParen)
            }
            "MAP" | "REDUCE" => !continues_a_name(next) && self.script_follows(ahead + 1),
            _ => false,
        }
    }

    /// Whether `USING 'script'` comes in what is left of these parentheses.
    pub fn script_follows(&self, ahead: usize) -> bool {
        let mut at = self.at + ahead;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::LeftParen => at = self.closing[at] as usize,
                Kind::RightParen | Kind::Semicolon | Kind::End => return false,
                _ if self.word_at(at - self.at, "USING") && self.string_at(at - self.at + 1) => return true,
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// Whether the parenthesis there holds a query, and nothing that makes an expression or a join of it.
    pub fn query_in_parens_at(&self, ahead: usize) -> bool {
        let mut inner = ahead + 1;
        // Iterative, since there may be many.
        while self.peek(inner).kind == Kind::LeftParen {
            if !self.query_goes_on_behind(inner) {
                return false;
            }
            inner += 1;
        }
        self.query_at(inner)
    }

    /// Whether what follows the parentheses there continues a query, or is the end of parentheses around them.
    fn query_goes_on_behind(&self, ahead: usize) -> bool {
        let Some(&closing) = self.closing.get(self.at + ahead) else { return false };
        let behind = closing as usize + 1 - self.at;
        if self.peek(behind).kind == Kind::RightParen {
            return true;
        }
        let by = &["ORDER", "SORT", "CLUSTER", "DISTRIBUTE"];
        match self.word_at_any(behind, &["UNION", "EXCEPT", "MINUS", "INTERSECT"]) {
            true => self.term_ahead(behind + 1),
            false if self.word_at_any(behind, by) => self.word_at(behind + 1, "BY"),
            false => self.word_at_any(behind, &["LIMIT", "OFFSET"]) && !continues_a_name(self.peek(behind + 1).kind),
        }
    }

    /// Whether `keyword` stands in the parentheses that open `ahead`, but not deeper.
    pub fn word_in_parens(&self, ahead: usize, keyword: &str) -> bool {
        self.in_parens(ahead).any(|at| self.word_at(at - self.at, keyword))
    }

    /// How many commas stand in the parentheses that open `ahead`, but not deeper.
    pub fn commas_in_parens(&self, ahead: usize) -> usize {
        self.in_parens(ahead).filter(|&at| self.tokens[at].kind == Kind::Comma).count()
    }

    fn in_parens(&self, ahead: usize) -> impl Iterator<Item = usize> {
        let open = self.at + ahead;
        let end = self.closing.get(open).map_or(open, |&end| end as usize);
        let next = move |&at: &usize| {
            let at = if self.tokens[at].kind == Kind::LeftParen { self.closing[at] as usize } else { at };
            (at + 1 < end).then_some(at + 1)
        };
        std::iter::successors((open + 1 < end).then_some(open + 1), next)
    }

    /// The kind of the token behind the parenthesis that closes the one there.
    pub fn kind_behind_parens(&self, ahead: usize) -> Kind {
        let closing = self.closing.get(self.at + ahead).map_or(self.at, |&closing| closing as usize);
        self.peek(closing + 1 - self.at).kind
    }
}
