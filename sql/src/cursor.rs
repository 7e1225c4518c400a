//! A cursor over the tokens of one statement, for the parts of Spark's grammar that sqlparser does not read.

use datafusion::sql::sqlparser::ast::Query;
use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::SqlError;

const DIALECT: SparkSqlDialect = SparkSqlDialect;

pub(crate) struct Cursor(Parser<'static>);

impl Cursor {
    pub fn new(text: &str) -> Result<Self, SqlError> {
        Ok(Cursor(Parser::new(&DIALECT).try_with_sql(text)?))
    }

    /// Takes all of `words` if they come next, in any case; otherwise takes nothing.
    pub fn take(&mut self, words: &[&str]) -> bool {
        let come_next = words.iter().enumerate().all(|(n, word)| is_word(&self.0.peek_nth_token(n), word));
        if come_next {
            self.skip(words.len());
        }
        come_next
    }

    /// Takes `words`, or says what was expected and what stands there.
    pub fn expect(&mut self, words: &[&str]) -> Result<(), SqlError> {
        if self.take(words) { Ok(()) } else { Err(self.expected(&words.join(" "))) }
    }

    /// Whether a query starts here.
    pub fn at_query(&self) -> bool {
        let next = self.0.peek_token();
        next.token == Token::LParen || ["select", "with", "values", "from"].iter().any(|word| is_word(&next, word))
    }

    pub fn take_token(&mut self, token: &Token) -> bool {
        self.0.consume_token(token)
    }

    pub fn expect_token(&mut self, token: &Token) -> Result<(), SqlError> {
        if self.take_token(token) { Ok(()) } else { Err(self.expected(&format!("'{token}'"))) }
    }

    /// Takes `>`, also where the tokenizer has read two of them as one.
    pub fn expect_closing_angle(&mut self, pending: &mut bool) -> Result<(), SqlError> {
        if std::mem::take(pending) || self.take_token(&Token::Gt) {
            return Ok(());
        }
        self.expect_token(&Token::ShiftRight)?;
        *pending = true;
        Ok(())
    }

    /// A name, quoted with backquotes or not.
    pub fn name(&mut self) -> Result<String, SqlError> {
        match self.0.peek_token().token {
            Token::Word(word) => {
                self.skip(1);
                Ok(word.value)
            }
            _ => Err(self.expected("a name")),
        }
    }

    /// A string in single or double quotes.
    pub fn string(&mut self) -> Result<String, SqlError> {
        match self.0.peek_token().token {
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
                self.skip(1);
                Ok(text)
            }
            _ => Err(self.expected("a quoted string")),
        }
    }

    /// The value of an option: a string, a number, or a word such as `true`.
    pub fn option_value(&mut self) -> Result<String, SqlError> {
        match self.0.peek_token().token {
            Token::Number(text, _) => {
                self.skip(1);
                Ok(text)
            }
            Token::Word(word) => {
                self.skip(1);
                Ok(word.value)
            }
            _ => self.string(),
        }
    }

    pub fn number<T: std::str::FromStr>(&mut self) -> Result<T, SqlError> {
        if let Token::Number(text, _) = self.0.peek_token().token
            && let Ok(number) = text.parse()
        {
            self.skip(1);
            return Ok(number);
        }
        Err(self.expected("a whole number"))
    }

    /// The rest of the statement as a query.
    pub fn query(mut self) -> Result<Box<Query>, SqlError> {
        let query = self.0.parse_query()?;
        self.end()?;
        Ok(query)
    }

    pub fn at_end(&self) -> bool {
        self.0.peek_token().token == Token::EOF
    }

    pub fn end(&self) -> Result<(), SqlError> {
        match self.0.peek_token().token {
            Token::EOF => Ok(()),
            _ => Err(self.expected("the end of the statement")),
        }
    }

    pub fn expected(&self, what: &str) -> SqlError {
        let found = self.0.peek_token();
        if found.token == Token::EOF {
            return SqlError::Parse(format!("expected {what}, but the statement ends"));
        }
        let place = found.span.start;
        SqlError::Parse(format!(
            "expected {what}, found '{}' (line {}, column {} of the statement)",
            found.token, place.line, place.column
        ))
    }

    /// The next words as they stand, for a message that names a construct.
    pub fn next_words(&self) -> String {
        let words = (0..4).map(|n| self.0.peek_nth_token(n).token);
        words
            .map_while(|token| if let Token::Word(word) = token { Some(word.value) } else { None })
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn skip(&mut self, tokens: usize) {
        for _ in 0..tokens {
            self.0.advance_token();
        }
    }
}

fn is_word(token: &TokenWithSpan, word: &str) -> bool {
    matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}
