//! Expressions for tests, written as lists: `(array_contains (array 1 null) 2L)`, `(transform a (-> (x i) (+ x i)))`.

use std::sync::Arc;

use datafusion::logical_expr::Expr;
use datafusion::prelude::col;
use datafusion::scalar::ScalarValue;

use crate::coercion::coerce_to;
use crate::operators::{BinaryOperator, binary};
use crate::{
    Call, DataType, DayTimeField, Error, LambdaInput, Resolve, Result, Settings, Typed, YearMonthField, field, find,
    resolve_lambda, subscript,
};

#[derive(Clone, Debug)]
pub(super) enum Form {
    Atom(String),
    Text(String),
    List(Vec<Form>),
}

#[derive(Clone)]
pub(super) struct Scope {
    pub(super) columns: Vec<(String, DataType, bool)>,
    pub(super) variables: Vec<(String, Typed)>,
    pub(super) settings: Arc<Settings>,
}

pub(super) fn read(text: &str) -> Form {
    let mut forms = vec![Vec::new()];
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '(' => forms.push(Vec::new()),
            ')' => {
                let list = forms.pop().unwrap();
                forms.last_mut().unwrap().push(Form::List(list));
            }
            '\'' => {
                let text: String = rest.by_ref().take_while(|char| *char != '\'').collect();
                forms.last_mut().unwrap().push(Form::Text(text));
            }
            ' ' => {}
            first => {
                let mut atom = String::from(first);
                while let Some(char) = rest.next_if(|char| !" ()".contains(*char)) {
                    atom.push(char);
                }
                forms.last_mut().unwrap().push(Form::Atom(atom));
            }
        }
    }
    forms.pop().unwrap().pop().unwrap()
}

pub(super) fn data_type(name: &str) -> DataType {
    if let Some(element) = name.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
        return DataType::Array(Box::new(data_type(element)), true);
    }
    if let Some(parts) = name.strip_prefix("map<").and_then(|rest| rest.strip_suffix('>')) {
        let (key, value) = parts.split_once(',').unwrap();
        return DataType::Map(Box::new(data_type(key)), Box::new(data_type(value)), true);
    }
    if let Some(parts) = name.strip_prefix("decimal:") {
        let (precision, scale) = parts.split_once(',').unwrap();
        return DataType::Decimal(precision.parse().unwrap(), scale.parse().unwrap());
    }
    match name {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::Byte,
        "int" => DataType::Int,
        "bigint" => DataType::Long,
        "float" => DataType::Float,
        "double" => DataType::Double,
        "string" => DataType::String,
        "binary" => DataType::Binary,
        "date" => DataType::Date,
        "timestamp" => DataType::Timestamp,
        "timestamp_ntz" => DataType::TimestampNtz,
        "month" => DataType::YearMonth(YearMonthField::Month, YearMonthField::Month),
        "day" => DataType::DayTime(DayTimeField::Day, DayTimeField::Day),
        "hour" => DataType::DayTime(DayTimeField::Hour, DayTimeField::Hour),
        _ => panic!("the tests have no type {name}"),
    }
}

pub(super) fn resolve(form: &Form, scope: &Scope) -> Result<Typed> {
    match form {
        Form::Text(text) => Ok(Typed::literal(ScalarValue::Utf8(Some(text.clone())), DataType::String, text.clone())),
        Form::Atom(atom) => Ok(self::atom(atom, scope)),
        Form::List(forms) => {
            let (Form::Atom(head), arguments) = forms.split_first().unwrap() else { panic!("a list has a head") };
            list(head, arguments, scope)
        }
    }
}

fn atom(atom: &str, scope: &Scope) -> Typed {
    if let Some((_, typed)) = scope.variables.iter().rev().find(|(name, _)| name == atom) {
        return typed.clone();
    }
    if let Some((name, data_type, nullable)) = scope.columns.iter().find(|(name, ..)| name == atom) {
        let (data_type, nullable) = (data_type.clone(), *nullable);
        return Typed { expr: col(name.as_str()), data_type, nullable, name: name.clone(), foldable: false };
    }
    if let Some(number) = atom.strip_suffix('L').and_then(|number| number.parse().ok()) {
        return Typed::literal(ScalarValue::Int64(Some(number)), DataType::Long, number.to_string());
    }
    if let Some(number) = atom.strip_suffix('D').and_then(|number| number.parse::<f64>().ok()) {
        return Typed::literal(ScalarValue::Float64(Some(number)), DataType::Double, format!("{number:?}"));
    }
    if let Ok(number) = atom.parse::<i32>() {
        return Typed::literal(ScalarValue::Int32(Some(number)), DataType::Int, atom);
    }
    if let Some((whole, part)) = atom.split_once('.').filter(|(whole, _)| whole.parse::<i64>().is_ok()) {
        let scale = i8::try_from(part.len()).unwrap();
        let digits: i128 = format!("{whole}{part}").parse().unwrap();
        let precision = u8::try_from(digits.unsigned_abs().to_string().len()).unwrap().max(part.len() as u8);
        let value = ScalarValue::Decimal128(Some(digits), precision, scale);
        return Typed::literal(value, DataType::Decimal(precision, scale), atom);
    }
    match atom {
        "null" => Typed::literal(ScalarValue::Null, DataType::Void, "NULL"),
        "true" | "false" => Typed::literal(ScalarValue::Boolean(Some(atom == "true")), DataType::Boolean, atom),
        _ => panic!("the tests have no {atom}"),
    }
}

fn list(head: &str, arguments: &[Form], scope: &Scope) -> Result<Typed> {
    let text = |at: usize| match &arguments[at] {
        Form::Atom(text) | Form::Text(text) => text.clone(),
        Form::List(_) => panic!("a name was expected"),
    };
    let operator = match head {
        "+" => Some(BinaryOperator::Add),
        "-" => Some(BinaryOperator::Subtract),
        "*" => Some(BinaryOperator::Multiply),
        ">" => Some(BinaryOperator::Greater),
        "<" => Some(BinaryOperator::Less),
        "=" => Some(BinaryOperator::Equal),
        _ => None,
    };
    if let Some(operator) = operator {
        return binary(operator, resolve(&arguments[0], scope)?, resolve(&arguments[1], scope)?, &scope.settings);
    }
    match head {
        "cast" => return coerce_to(resolve(&arguments[0], scope)?, &data_type(&text(1)), &scope.settings),
        "distinct" => {
            let mut typed = resolve(&arguments[0], scope)?;
            if let Expr::AggregateFunction(aggregate) = &mut typed.expr {
                aggregate.params.distinct = true;
            }
            return Ok(typed);
        }
        "[]" => return subscript(resolve(&arguments[0], scope)?, resolve(&arguments[1], scope)?, &scope.settings),
        "." => return field(resolve(&arguments[0], scope)?, &text(1), &scope.settings),
        _ => {}
    }
    let function = find(head).unwrap_or_else(|| panic!("there is no function {head}"));
    if let Resolve::Resolver = function.resolve {
        let mut inputs = Vec::new();
        for argument in arguments {
            inputs.push(match argument {
                Form::List(forms) if matches!(&forms[0], Form::Atom(arrow) if arrow == "->") => {
                    let Form::List(names) = &forms[1] else { panic!("a lambda has a list of names") };
                    let name = |form: &Form| match form {
                        Form::Atom(name) => name.clone(),
                        _ => panic!("a name was expected"),
                    };
                    LambdaInput::Lambda(names.iter().map(name).collect())
                }
                other => LambdaInput::Value(resolve(other, scope)?),
            });
        }
        let names: Vec<Vec<String>> = inputs
            .iter()
            .map(|input| match input {
                LambdaInput::Lambda(names) => names.clone(),
                LambdaInput::Value(_) => Vec::new(),
            })
            .collect();
        return resolve_lambda(function.name, inputs, &scope.settings, &mut |at, variables| {
            let Form::List(forms) = &arguments[at] else { panic!("a lambda was expected") };
            let mut inner = scope.clone();
            inner.variables.extend(names[at].iter().cloned().zip(variables.iter().cloned()));
            resolve(&forms[2], &inner)
        });
    }
    let arguments = arguments.iter().map(|argument| resolve(argument, scope)).collect::<Result<_>>()?;
    let call = Call { written: head, name: function.name, arguments, settings: &scope.settings };
    match &function.resolve {
        Resolve::Scalar(resolve)
        | Resolve::Aggregate(resolve)
        | Resolve::Window(resolve)
        | Resolve::Generator(resolve) => resolve(call),
        _ => Err(Error::unsupported(format!("the function {head}"))),
    }
}
