//! `PARTITIONED BY`: new columns, or transformations of columns.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Ident, Literal, PartitionField, Span, Transformation, TransformationArgument};

impl Parser<'_> {
    pub fn partition_field(&mut self) -> Parsed<PartitionField> {
        let typed = self.identifier_at(0) && matches!(self.peek(1).kind, Kind::Word | Kind::Backquoted);
        if typed {
            return self.column().map(PartitionField::Column);
        }
        if self.identifier_at(0) && self.peek(1).kind == Kind::LeftParen {
            let name = self.identifier()?;
            let arguments = self.parenthesized(|parser| parser.list(Self::transformation_argument))?;
            self.check_transformation(&name, &arguments);
            let function = Some(name);
            return Ok(PartitionField::Transformation(Transformation { function, arguments }));
        }
        let column = TransformationArgument::Column(self.qualified_name()?);
        Ok(PartitionField::Transformation(Transformation { function: None, arguments: vec![column] }))
    }

    fn transformation_argument(&mut self) -> Parsed<TransformationArgument> {
        if self.constant_at(0) {
            return self.constant().map(TransformationArgument::Literal);
        }
        self.qualified_name().map(TransformationArgument::Column)
    }

    fn check_transformation(&mut self, name: &Ident, arguments: &[TransformationArgument]) {
        let shown = |argument: &TransformationArgument| match argument {
            TransformationArgument::Column(name) => {
                name.parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
            }
            TransformationArgument::Literal(Literal::String(text)) => format!("'{text}'"),
            TransformationArgument::Literal(literal) => format!("{literal:?}"),
        };
        let is_column = |argument: &TransformationArgument| matches!(argument, TransformationArgument::Column(_));
        let function = name.value.to_ascii_lowercase();
        match (function.as_str(), arguments) {
            ("bucket", [count, columns @ ..]) => {
                let counted = matches!(
                    count,
                    TransformationArgument::Literal(Literal::Int(_) | Literal::SmallInt(_) | Literal::BigInt(_))
                );
                if !counted {
                    self.refuse(
                        "_LEGACY_ERROR_TEMP_0031",
                        format!("Invalid number of buckets: {}.", shown(count)),
                        name.span,
                    );
                } else if let Some(other) = columns.iter().find(|column| !is_column(column)) {
                    self.no_column(&function, &shown(other), name.span);
                }
            }
            ("years" | "months" | "days" | "hours", [argument]) if !is_column(argument) => {
                self.no_column(&function, &shown(argument), name.span);
            }
            ("years" | "months" | "days" | "hours", arguments) if arguments.len() != 1 => {
                let message = format!(
                    "Invalid SQL syntax: The transform`{function}` requires 1 parameters but the actual number is {}.",
                    arguments.len()
                );
                self.refuse("INVALID_SQL_SYNTAX.TRANSFORM_WRONG_NUM_ARGS", message, name.span);
            }
            _ => {}
        }
    }

    fn no_column(&mut self, function: &str, argument: &str, span: Span) {
        let message =
            format!("Invalid SQL syntax: Expected a column reference for transform `{function}`: {argument}.");
        self.refuse("INVALID_SQL_SYNTAX.INVALID_COLUMN_REFERENCE", message, span);
    }
}
