//! Spark's functions of the group misc.

mod crypto;
pub(crate) mod position;
mod raising;

use datafusion::scalar::ScalarValue;

use self::position::Position;
use super::scalar::{between, exactly, scalar, wrong_number};
use crate::{Call, DataType, Function, Group, Resolve, Result, Typed};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row(
        "aes_encrypt",
        "aes_encrypt(expr, key[, mode[, padding[, iv[, aad]]]]) - Bytes encrypted with AES.",
        crypto::encrypt,
    ),
    row("aes_decrypt", "aes_decrypt(expr, key[, mode[, padding[, aad]]]) - Bytes decrypted with AES.", |c| {
        crypto::decrypt(c, false)
    }),
    row(
        "try_aes_decrypt",
        "try_aes_decrypt(expr, key[, mode[, padding[, aad]]]) - As aes_decrypt, but NULL where that fails.",
        |c| crypto::decrypt(c, true),
    ),
    row(
        "assert_true",
        "assert_true(condition[, message]) - NULL if the condition holds, else an error.",
        raising::assert_true,
    ),
    row("raise_error", "raise_error(message) - An error with a message.", raising::raise_error),
    row("typeof", "typeof(expr) - The type of expr.", |mut c| {
        let [value] = exactly(&mut c)?;
        let text = value.data_type.catalog();
        let name = format!("typeof({})", value.name);
        Ok(Typed::literal(ScalarValue::Utf8(Some(text)), DataType::String, name))
    }),
    row("version", "version() - The version of Spark whose SQL this is.", |mut c| {
        between(&mut c, 0, 0)?;
        let text = "3.5.4 a6f220d951742f4074b37772485ee0ec7a774e7d".to_owned();
        Ok(Typed::literal(ScalarValue::Utf8(Some(text)), DataType::String, "version()"))
    }),
    row("uuid", "uuid() - A random universally unique identifier.", |c| {
        if !c.arguments.is_empty() {
            return Err(wrong_number(&c, "0"));
        }
        let expr = datafusion::functions::string::expr_fn::uuid();
        Ok(Typed { expr, data_type: DataType::String, nullable: false, name: "uuid()".to_owned(), foldable: false })
    }),
    row("input_file_name", "input_file_name() - The file that the row is from, empty if there is none.", |c| {
        position::resolve(Position::FileName, c)
    }),
    row("input_file_block_length", "input_file_block_length() - The length of the block that the row is from.", |c| {
        position::resolve(Position::BlockLength, c)
    }),
    row("input_file_block_start", "input_file_block_start() - The offset of the block that the row is from.", |c| {
        position::resolve(Position::BlockStart, c)
    }),
    resolver("current_catalog", "current_catalog() - The catalog that names are looked up in."),
    resolver("current_database", "current_database() - The database that names are looked up in."),
    resolver("current_schema", "current_schema() - The database that names are looked up in."),
    resolver("current_user", "current_user() - Who runs the statement."),
    resolver("user", "user() - Who runs the statement."),
    row("monotonically_increasing_id", "monotonically_increasing_id() - A number that grows from row to row.", |c| {
        position::resolve(Position::Row, c)
    }),
    row("spark_partition_id", "spark_partition_id() - The number of the partition that the row is in.", |c| {
        position::resolve(Position::Partition, c)
    }),
    refused("java_method", "java_method(class, method[, argument, ...]) - What a method of a Java class returns."),
    refused("reflect", "reflect(class, method[, argument, ...]) - What a method of a Java class returns."),
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(Group::Misc, name, usage, resolve)
}

const fn resolver(name: &'static str, usage: &'static str) -> Function {
    Function { name, group: Group::Misc, usage, resolve: Resolve::Resolver }
}

const fn refused(name: &'static str, usage: &'static str) -> Function {
    Function { name, group: Group::Misc, usage, resolve: Resolve::Refused }
}

/// The kernels of this group.
pub(crate) const KERNELS: &[&[&crate::Kernel]] = &[raising::KERNELS, crypto::KERNELS];
