//! Windows and their frames.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Expr, ExprKind, Frame, FrameBound, FrameUnits, NamedWindow, SortItem, Span, Window};

impl Parser<'_> {
    /// `WINDOW w AS (…), …`, if it comes next.
    pub fn window_clause(&mut self) -> Parsed<Vec<NamedWindow>> {
        if !(self.is_word("WINDOW") && self.identifier_at(1)) {
            return Ok(Vec::new());
        }
        let start = self.advance().span;
        let windows = self.list(Self::named_window)?;
        self.check_windows(&windows, start);
        Ok(windows)
    }

    /// Names are given once; a window that has another's name has to be the same as one that is spelled out.
    fn check_windows(&mut self, windows: &[NamedWindow], start: Span) {
        let find = |name: &str| windows.iter().find(|window| window.name.value == name);
        for (at, window) in windows.iter().enumerate() {
            let name = &window.name.value;
            if windows[..at].iter().any(|earlier| earlier.name.value == *name) {
                let message = format!("Invalid SQL syntax: The definition of window `{name}` is repetitive.");
                self.refuse("INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", message, start);
            }
        }
        for window in windows {
            let Window::Named(other) = &window.window else { continue };
            match find(&other.value).map(|found| &found.window) {
                None => {
                    let message = format!("Invalid SQL syntax: Cannot resolve window reference `{}`.", other.value);
                    self.refuse("INVALID_SQL_SYNTAX.UNRESOLVED_WINDOW_REFERENCE", message, start);
                }
                Some(Window::Named(_)) => {
                    let message = format!(
                        "Invalid SQL syntax: Window reference `{}` is not a window specification.",
                        other.value
                    );
                    self.refuse("INVALID_SQL_SYNTAX.INVALID_WINDOW_REFERENCE", message, start);
                }
                Some(Window::Spec { .. }) => {}
            }
        }
    }

    fn named_window(&mut self) -> Parsed<NamedWindow> {
        let name = self.name_part()?;
        self.expect_word("AS")?;
        Ok(NamedWindow { name, window: self.window_spec()? })
    }

    pub fn window_spec(&mut self) -> Parsed<Window> {
        if !self.is(Kind::LeftParen) {
            return self.name_part().map(Window::Named);
        }
        let start = self.advance().span;
        let frame_ahead = self.is_any(&["ROWS", "RANGE"]) && self.peek(1).kind != Kind::RightParen;
        let clause = self.is_any(&["PARTITION", "DISTRIBUTE", "CLUSTER", "ORDER", "SORT"]) && self.word_at(1, "BY");
        if self.identifier_at(0) && !clause && !frame_ahead {
            let name = self.name_part()?;
            self.expect(Kind::RightParen)?;
            return Ok(Window::Named(name));
        }
        let clustered = self.take_words(&["CLUSTER", "BY"]);
        let partitioned = clustered || self.take_words(&["PARTITION", "BY"]) || self.take_words(&["DISTRIBUTE", "BY"]);
        let partition_by = if partitioned { self.expressions()? } else { Vec::new() };
        let sorted = !clustered && (self.take_words(&["ORDER", "BY"]) || self.take_words(&["SORT", "BY"]));
        let order_by = if sorted { self.list(Self::sort_item)? } else { Vec::new() };
        let frame = if self.is_any(&["ROWS", "RANGE"]) { Some(self.frame()?) } else { None };
        self.expect(Kind::RightParen)?;
        Ok(Window::Spec { partition_by, order_by, frame, span: self.span_from(start) })
    }

    fn frame(&mut self) -> Parsed<Frame> {
        let start = self.span();
        let units = if self.is_word("ROWS") { FrameUnits::Rows } else { FrameUnits::Range };
        self.advance();
        if self.is_word("BETWEEN") {
            self.advance();
            let lower = self.frame_bound()?;
            self.expect_word("AND")?;
            let upper = self.frame_bound()?;
            return Ok(Frame { units, start: lower, end: upper, span: self.span_from(start) });
        }
        let lower = self.frame_bound()?;
        Ok(Frame { units, start: lower, end: FrameBound::CurrentRow, span: self.span_from(start) })
    }

    fn frame_bound(&mut self) -> Parsed<FrameBound> {
        if self.take_words(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        if self.take_words(&["UNBOUNDED", "PRECEDING"]) {
            return Ok(FrameBound::UnboundedPreceding);
        }
        if self.take_words(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::UnboundedFollowing);
        }
        let start = self.span();
        let offset = self.expression()?;
        if !is_constant(&offset) {
            self.refuse("_LEGACY_ERROR_TEMP_0064", "Frame bound value must be a literal.", start);
        }
        if self.take_word("PRECEDING") {
            return Ok(FrameBound::Preceding(offset));
        }
        self.expect_word("FOLLOWING")?;
        Ok(FrameBound::Following(offset))
    }

    pub fn sort_item(&mut self) -> Parsed<SortItem> {
        let value = self.expression()?;
        let descending = self.is_word("DESC");
        if descending || self.is_word("ASC") {
            self.advance();
        }
        let mut nulls_first = !descending;
        if self.is_word("NULLS") && self.word_at_any(1, &["FIRST", "LAST"]) {
            self.advance();
            nulls_first = self.is_word("FIRST");
            self.advance();
        }
        Ok(SortItem { value, descending, nulls_first })
    }
}

/// Whether it has a value without looking at rows, as far as its form tells.
fn is_constant(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Literal(_) | ExprKind::NamedParameter(_) | ExprKind::PositionalParameter => true,
        ExprKind::Unary(_, operand) | ExprKind::Cast { operand, .. } | ExprKind::Not(operand) => is_constant(operand),
        ExprKind::Binary(left, _, right) => is_constant(left) && is_constant(right),
        _ => false,
    }
}
