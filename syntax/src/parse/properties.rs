//! Lists of keys and values: `OPTIONS`, `TBLPROPERTIES`, `PARTITION (…)`.

use super::cursor::{Parsed, Parser};
use crate::token::Kind;
use crate::tree::{Expr, Ident, PartitionSpec, PartitionValue, Property, Span};

/// A key and, perhaps, its value.
type OptionalProperty = (String, Option<String>);

impl Parser<'_> {
    fn optional_properties(&mut self) -> Parsed<(Vec<OptionalProperty>, Span)> {
        let start = self.span();
        let property = |parser: &mut Self| {
            let key = parser.property_key()?;
            let assigned = parser.take(Kind::Eq);
            let ends = matches!(parser.kind(), Kind::Comma | Kind::RightParen);
            let value = if ends && !assigned { None } else { Some(parser.property_value()?) };
            Ok((key, value))
        };
        let properties = self.parenthesized(|parser| parser.list(property))?;
        self.check_keys(properties.iter().map(|(key, _)| key.as_str()), start);
        Ok((properties, start))
    }

    /// `(key = 'value', …)`, each with a value.
    pub fn properties(&mut self) -> Parsed<Vec<Property>> {
        let (properties, start) = self.optional_properties()?;
        let missing: Vec<_> =
            properties.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key.clone()).collect();
        if !missing.is_empty() {
            let what = format!("Values must be specified for key(s): [{}]", missing.join(","));
            self.not_allowed(&what, start);
        }
        let property = |(key, value): OptionalProperty| Property { key, value: value.unwrap_or_default() };
        Ok(properties.into_iter().map(property).collect())
    }

    /// `(key, …)`, none with a value.
    pub fn property_keys(&mut self) -> Parsed<Vec<String>> {
        let (properties, start) = self.optional_properties()?;
        let valued: Vec<_> =
            properties.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key.clone()).collect();
        if !valued.is_empty() {
            let what = format!("Values should not be specified for key(s): [{}]", valued.join(","));
            self.not_allowed(&what, start);
        }
        Ok(properties.into_iter().map(|(key, _)| key).collect())
    }

    fn check_keys<'k>(&mut self, keys: impl Iterator<Item = &'k str>, start: Span) {
        let mut seen: Vec<&str> = Vec::new();
        for key in keys {
            if seen.contains(&key) {
                self.refuse("DUPLICATE_KEY", format!("Found duplicate keys `{key}`."), start);
            }
            seen.push(key);
        }
    }

    /// `OPTIONS (…)`, if it comes next.
    pub fn options(&mut self) -> Parsed<Vec<Property>> {
        if self.is_word("OPTIONS") && self.peek(1).kind == Kind::LeftParen {
            self.advance();
            return self.properties();
        }
        Ok(Vec::new())
    }

    /// `a.b` or `'a.b'`
    pub fn property_key(&mut self) -> Parsed<String> {
        if self.string_at(0) {
            return self.string();
        }
        let name = self.qualified_name()?;
        Ok(name.parts.into_iter().map(|part| part.value).collect::<Vec<_>>().join("."))
    }

    fn property_value(&mut self) -> Parsed<String> {
        if self.string_at(0) {
            return self.string();
        }
        let boolean = self.is_any(&["TRUE", "FALSE"]);
        if !boolean && !matches!(self.kind(), Kind::Integer | Kind::Decimal) {
            return self.wrong();
        }
        let span = self.advance().span;
        let text = self.text_of(span);
        Ok(if boolean { text.to_ascii_lowercase() } else { text.to_owned() })
    }

    /// `(key = expression, …)`
    pub fn expression_properties(&mut self) -> Parsed<Vec<(String, Expr)>> {
        let property = |parser: &mut Self| {
            let span = parser.span();
            let key = parser.property_key()?;
            let assigned = parser.take(Kind::Eq);
            if !assigned && matches!(parser.kind(), Kind::Comma | Kind::RightParen) {
                parser.not_allowed(&format!("A value must be specified for the key: {key}."), span);
                return Ok(None);
            }
            let value = parser.expression()?;
            Ok(Some((key, value)))
        };
        Ok(self.parenthesized(|parser| parser.list(property))?.into_iter().flatten().collect())
    }

    /// `PARTITION (a = 1, b)`, if it comes next.
    pub fn optional_partition(&mut self) -> Parsed<Option<PartitionSpec>> {
        if self.is_word("PARTITION") && self.peek(1).kind == Kind::LeftParen {
            return self.partition().map(Some);
        }
        Ok(None)
    }

    /// The same, where each key needs a value.
    pub fn valued_partition(&mut self) -> Parsed<Option<PartitionSpec>> {
        let start = self.span();
        let spec = self.optional_partition()?;
        self.check_values(spec.as_ref(), start);
        Ok(spec)
    }

    pub fn check_values(&mut self, spec: Option<&PartitionSpec>, start: Span) {
        if let Some(missing) = spec.into_iter().flatten().find(|value| value.value.is_none()) {
            let message = format!("Invalid SQL syntax: Partition key `{}` must set value.", missing.name.value);
            self.refuse("INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", message, start);
        }
    }

    /// Keys that have a clause of their own.
    pub fn check_table_keys<'k>(&mut self, mut keys: impl Iterator<Item = &'k str>, start: Span) {
        let instead = |key: &str| match key {
            "provider" => Some("please use the USING clause to specify it"),
            "location" => Some("please use the LOCATION clause to specify it"),
            "owner" => Some("it will be set to the current user"),
            "external" => Some("please use CREATE EXTERNAL TABLE"),
            _ => None,
        };
        if let Some((key, instead)) = keys.find_map(|key| Some((key, instead(key)?))) {
            let message = format!("The feature is not supported: {key} is a reserved table property, {instead}.");
            self.refuse("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", message, start);
        }
    }

    pub fn partition(&mut self) -> Parsed<PartitionSpec> {
        let start = self.expect_word("PARTITION")?;
        let spec = self.parenthesized(|parser| parser.list(|parser| parser.partition_value(start)))?;
        self.check_keys(spec.iter().map(|value: &PartitionValue| value.name.value.as_str()), start);
        Ok(spec)
    }

    fn partition_value(&mut self, start: Span) -> Parsed<PartitionValue> {
        let name: Ident = self.identifier()?;
        if !self.take(Kind::Eq) {
            return Ok(PartitionValue { name, value: None });
        }
        if self.is_word("DEFAULT") && !self.string_at(1) {
            self.advance();
            let message = "References to DEFAULT column values are not allowed within the PARTITION clause.";
            self.refuse("REF_DEFAULT_VALUE_IS_NOT_ALLOWED_IN_PARTITION", message, start);
            return Ok(PartitionValue { name, value: None });
        }
        let value = self.constant()?;
        Ok(PartitionValue { name, value: Some(value) })
    }
}
