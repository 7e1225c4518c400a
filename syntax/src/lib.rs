//! Spark 3.5's SQL from text to a syntax tree.
//! Reads text only: never looks at a catalog, decides what a name means, or runs anything.

mod error;
mod keywords;
mod lexer;
mod parse;
mod script;
mod settings;
mod strings;
mod token;
pub mod tree;

pub use self::error::{ParseError, Position};
pub use self::parse::{parse_columns, parse_data_type, parse_expression, parse_name, parse_query, parse_statement};
pub use self::script::{Piece, split};
pub use self::settings::Settings;
