//! Names: which words are names, and names of several parts.

use super::cursor::{Parsed, Parser};
use crate::keywords::{is_reserved, joins};
use crate::strings::{unquoted_name, unquoted_text};
use crate::token::Kind;
use crate::tree::{Ident, Name, Reference};

impl Parser<'_> {
    /// Whether the token there is a name; keywords are, unless they are reserved.
    pub fn identifier_at(&self, ahead: usize) -> bool {
        let token = self.peek(ahead);
        match token.kind {
            Kind::Backquoted => true,
            // The keyword NOT.
            Kind::Bang => !self.settings.reserved_keywords,
            Kind::DoubleQuoted => self.settings.double_quoted_identifiers,
            Kind::Word => !self.settings.reserved_keywords || !is_reserved(self.text_of(token.span)),
            _ => false,
        }
    }

    pub fn identifier(&mut self) -> Parsed<Ident> {
        if !self.identifier_at(0) {
            return self.wrong();
        }
        Ok(self.any_word())
    }

    /// The next token as a name, whatever it is.
    pub fn any_word(&mut self) -> Ident {
        let token = self.advance();
        let text = self.text_of(token.span);
        let quoted = token.kind != Kind::Word;
        let value = if quoted && text.len() > 1 { unquoted_name(text) } else { text.to_owned() };
        Ident { value, quoted, span: token.span }
    }

    /// A name that does not continue a relation.
    pub fn strict_identifier_at(&self, ahead: usize) -> bool {
        let token = self.peek(ahead);
        self.identifier_at(ahead) && (token.kind != Kind::Word || !joins(self.text_of(token.span)))
    }

    /// A name where no expression can be: `a-b` is one that lacks its quotes.
    pub fn name_part(&mut self) -> Parsed<Ident> {
        let first = self.identifier()?;
        if !self.is(Kind::Minus) || !self.identifier_at(1) {
            return Ok(first);
        }
        let mut written = first.value.clone();
        let mut end = first.span;
        while self.is(Kind::Minus) && self.identifier_at(1) {
            end = self.advance().span;
            let part = self.any_word();
            written = format!("{written}-{}", part.value);
        }
        let message = format!(
            "The identifier {written} is invalid. Please, consider quoting it with back-quotes as `{written}`."
        );
        self.refuse("INVALID_IDENTIFIER", message, end);
        Ok(first)
    }

    /// `a.b.c`
    pub fn multipart_identifier(&mut self) -> Parsed<Name> {
        let start = self.span();
        let mut parts = vec![self.name_part()?];
        while self.is(Kind::Dot) && self.identifier_at(1) {
            self.advance();
            parts.push(self.name_part()?);
        }
        Ok(Name { parts, span: self.span_from(start) })
    }

    /// `a.b.c` within expressions.
    pub fn qualified_name(&mut self) -> Parsed<Name> {
        let start = self.span();
        let mut parts = vec![self.identifier()?];
        while self.is(Kind::Dot) && self.identifier_at(1) {
            self.advance();
            parts.push(self.identifier()?);
        }
        Ok(Name { parts, span: self.span_from(start) })
    }

    /// A name of at most two parts.
    pub fn table_identifier(&mut self) -> Parsed<Name> {
        let name = self.multipart_identifier()?;
        if name.parts.len() > 2 {
            // The second dot is what is not expected.
            self.at -= 2 * (name.parts.len() - 2);
            return self.wrong();
        }
        Ok(name)
    }

    /// A name, or `IDENTIFIER(expression)`.
    pub fn reference(&mut self) -> Parsed<Reference> {
        if self.is_word("IDENTIFIER") && self.peek(1).kind == Kind::LeftParen {
            self.advance();
            return self.parenthesized(Self::expression).map(Reference::Computed);
        }
        self.multipart_identifier().map(Reference::Named)
    }

    /// `(a, b)`
    pub fn identifier_list(&mut self) -> Parsed<Vec<Ident>> {
        self.parenthesized(|parser| parser.list(Self::name_part))
    }

    pub fn string_at(&self, ahead: usize) -> bool {
        match self.peek(ahead).kind {
            Kind::String => true,
            Kind::DoubleQuoted => !self.settings.double_quoted_identifiers,
            _ => false,
        }
    }

    /// One quoted text.
    pub fn string(&mut self) -> Parsed<String> {
        if !self.string_at(0) {
            return self.wrong();
        }
        let span = self.advance().span;
        Ok(unquoted_text(self.text_of(span), self.settings.literal_backslashes))
    }

    pub fn optional_string(&mut self) -> Parsed<Option<String>> {
        if self.string_at(0) { self.string().map(Some) } else { Ok(None) }
    }
}
