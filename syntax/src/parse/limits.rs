//! How deep a tree may get, so that neither the reading nor what walks the tree later runs out of stack.

use super::cursor::{Parsed, Parser};

/// Of parentheses and the like within each other.
const DEPTH: usize = 256;
/// Of operators on top of each other: `a + b + c` has two.
const HEIGHT: usize = 2_000;

impl Parser<'_> {
    /// Reads what is one level deeper.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEPTH {
            return self.too_deep();
        }
        let height = std::mem::take(&mut self.height);
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        self.height = height.max(self.height + 1);
        found
    }

    /// Reads what stands beside what has been read, and not on top of it.
    pub fn beside<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let height = std::mem::take(&mut self.height);
        let found = read(self);
        self.height = self.height.max(height);
        found
    }

    /// Puts one more operator on top of what has been read since `nested`.
    pub fn stack(&mut self) -> Parsed<()> {
        self.height += 1;
        if self.height > HEIGHT { self.too_deep() } else { Ok(()) }
    }

    fn too_deep<T>(&mut self) -> Parsed<T> {
        let message = format!("The statement nests more than {DEPTH} levels, or {HEIGHT} operators, deep.");
        let span = self.span();
        self.stop("FAILED_TO_PARSE_TOO_COMPLEX", &message, span)
    }
}
