//! Operators and predicates: each is a function of Spark's under its sign.

use paceline_functions::{DataType, Error, Result, Typed};
use paceline_syntax::tree::{BinaryOp, Expr, ExprKind, Predicate, Quantifier, Truth, UnaryOp};

use super::{Names, Resolver, cast};

impl Resolver<'_> {
    pub(crate) fn unary(&mut self, op: UnaryOp, operand: Typed) -> Result<Typed> {
        let operand_name = operand.name.clone();
        match op {
            UnaryOp::Minus => {
                let typed = self.call_named("negative", vec![operand])?;
                Ok(Typed { name: format!("(- {operand_name})"), ..typed })
            }
            UnaryOp::Plus => {
                let typed = self.call_named("positive", vec![operand])?;
                Ok(Typed { name: format!("(+ {operand_name})"), ..typed })
            }
            UnaryOp::BitNot => self.call_named("~", vec![operand]),
        }
    }

    pub(crate) fn binary(&mut self, op: BinaryOp, left: Typed, right: Typed) -> Result<Typed> {
        let name = match op {
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::IntegralDivide => "div",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Concat => "concat",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitXor => "^",
            BinaryOp::BitOr => "|",
            BinaryOp::Eq => "=",
            BinaryOp::NullSafeEq => "<=>",
            BinaryOp::NotEq => {
                let equal = self.call_named("=", vec![left, right])?;
                return self.call_named("not", vec![equal]);
            }
            BinaryOp::Lt => "<",
            BinaryOp::LtEq => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::GtEq => ">=",
        };
        self.call_named(name, vec![left, right])
    }

    /// `a AND b AND c`, as balanced as Spark makes it.
    pub(crate) fn chain(&mut self, op: &str, operands: &[Expr], names: Names<'_>) -> Result<Typed> {
        match operands {
            [] => Err(Error::new("INTERNAL_ERROR", "A chain of no conditions.")),
            [one] => self.expr(one, names),
            many => {
                let middle = (many.len() - 1) / 2 + 1;
                let left = self.chain(op, &many[..middle], names)?;
                let right = self.chain(op, &many[middle..], names)?;
                self.call_named(op, vec![left, right])
            }
        }
    }

    pub(crate) fn predicate(
        &mut self,
        operand: &Expr,
        negated: bool,
        predicate: &Predicate,
        names: Names<'_>,
    ) -> Result<Typed> {
        if let Predicate::InQuery(query) = predicate {
            let operands = match &*operand.kind {
                ExprKind::Row(fields) => self.exprs(fields.iter().map(|field| &field.value), names)?,
                _ => vec![self.expr(operand, names)?],
            };
            return self.in_subquery(operands, query, negated, names);
        }
        let tested = self.expr(operand, names)?;
        let typed = match predicate {
            Predicate::Between(low, high) => {
                let (low, high) = (self.expr(low, names)?, self.expr(high, names)?);
                let above = self.call_named(">=", vec![tested.clone(), low])?;
                let below = self.call_named("<=", vec![tested, high])?;
                self.call_named("and", vec![above, below])?
            }
            Predicate::InList(list) => {
                let mut arguments = vec![tested];
                arguments.extend(self.exprs(list, names)?);
                self.call_named("in", arguments)?
            }
            Predicate::InQuery(_) => return Err(Error::new("INTERNAL_ERROR", "IN of a query.")),
            Predicate::Rlike(pattern) => {
                let pattern = self.expr(pattern, names)?;
                self.call_named("rlike", vec![tested, pattern])?
            }
            Predicate::Like { pattern, escape, ignore_case } => {
                let mut arguments = vec![tested, self.expr(pattern, names)?];
                if let Some(escape) = escape {
                    let escape = escape.to_string();
                    arguments.push(Typed::literal(escape.as_str().into(), DataType::String, escape));
                }
                self.call_named(if *ignore_case { "ilike" } else { "like" }, arguments)?
            }
            Predicate::LikeQuantified { quantifier, patterns, ignore_case } => {
                let like = if *ignore_case { "ilike" } else { "like" };
                let patterns = self.exprs(patterns, names)?;
                return self.like_quantified(tested, *quantifier, patterns, like, negated);
            }
            Predicate::IsNull if negated => return self.call_named("isnotnull", vec![tested]).map(is_not_null),
            Predicate::IsNull => return self.call_named("isnull", vec![tested]).map(is_null),
            Predicate::Is(Truth::Unknown) => {
                let name = tested.name.clone();
                let tested = cast(tested, &DataType::Boolean, &self.settings)?;
                let typed = self.call_named(if negated { "isnotnull" } else { "isnull" }, vec![tested])?;
                let not = if negated { "NOT " } else { "" };
                return Ok(Typed { name: format!("({name} IS {not}NULL)"), ..typed });
            }
            Predicate::Is(truth) => {
                let truth = *truth == Truth::True;
                let literal = Typed::literal(truth.into(), DataType::Boolean, truth.to_string());
                self.call_named("<=>", vec![tested, literal])?
            }
            Predicate::DistinctFrom(other) => {
                let other = self.expr(other, names)?;
                let same = self.call_named("<=>", vec![tested, other])?;
                if negated {
                    return Ok(same);
                }
                return self.call_named("not", vec![same]);
            }
        };
        if negated { self.call_named("not", vec![typed]) } else { Ok(typed) }
    }

    fn like_quantified(
        &mut self,
        tested: Typed,
        quantifier: Quantifier,
        patterns: Vec<Typed>,
        like: &str,
        negated: bool,
    ) -> Result<Typed> {
        let op = if quantifier == Quantifier::Any { "or" } else { "and" };
        let mut all: Option<Typed> = None;
        for pattern in patterns {
            let mut one = self.call_named(like, vec![tested.clone(), pattern])?;
            if negated {
                one = self.call_named("not", vec![one])?;
            }
            all = Some(match all {
                None => one,
                Some(before) => self.call_named(op, vec![before, one])?,
            });
        }
        all.ok_or_else(|| Error::new("PARSE_SYNTAX_ERROR", "Expected something between '(' and ')'."))
    }
}

/// The predicate is shown as it is written, the function as a function.
fn is_null(typed: Typed) -> Typed {
    match typed.name.strip_prefix("isnull(").and_then(|rest| rest.strip_suffix(')')) {
        Some(operand) => Typed { name: format!("({operand} IS NULL)"), ..typed },
        None => typed,
    }
}

fn is_not_null(typed: Typed) -> Typed {
    match typed.name.strip_prefix("isnotnull(").and_then(|rest| rest.strip_suffix(')')) {
        Some(operand) => Typed { name: format!("({operand} IS NOT NULL)"), ..typed },
        None => typed,
    }
}
