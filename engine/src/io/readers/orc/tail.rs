//! The types that the end of an ORC file declares, with those that Spark notes beside them.
//! Source: the ORC v1 specification, and Spark 3.5's `OrcUtils`.

use std::io::Read;
use std::sync::Arc;

use arrow::datatypes::Schema;
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use paceline_functions::{DataType, StructField, records};
use prost::Message;

/// Read at once; most files need no second look.
const TAIL_BYTES: u64 = 16 << 10;

/// A footer is not longer.
const FOOTER_BYTES: u64 = 64 << 20;

/// What Spark calls its note of a type.
const SPARK_TYPE: &str = "spark.sql.catalyst.type";

#[derive(Clone, PartialEq, Message)]
struct PostScript {
    #[prost(uint64, tag = "1")]
    footer_length: u64,
    #[prost(int32, tag = "2")]
    compression: i32,
    #[prost(uint64, tag = "3")]
    block_size: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Footer {
    #[prost(message, repeated, tag = "4")]
    types: Vec<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(uint32, repeated, tag = "2")]
    subtypes: Vec<u32>,
    #[prost(string, repeated, tag = "3")]
    field_names: Vec<String>,
    #[prost(uint32, tag = "5")]
    precision: u32,
    #[prost(uint32, tag = "6")]
    scale: u32,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// The columns of a file as Spark has them.
pub(super) async fn columns(store: &Arc<dyn ObjectStore>, file: &ObjectMeta) -> Result<Schema> {
    let types = footer(store, file).await?.types;
    match data_type(&types, 0, 0)? {
        DataType::Struct(fields) => Ok(Schema::new(fields.iter().map(StructField::to_arrow).collect::<Vec<_>>())),
        other => exec_err!("an ORC file whose rows are {}", other.catalog()),
    }
}

async fn footer(store: &Arc<dyn ObjectStore>, file: &ObjectMeta) -> Result<Footer> {
    let no_orc = || exec_datafusion_err!("'{}' is no ORC file", file.location);
    let start = file.size.saturating_sub(TAIL_BYTES);
    let tail = store.get_range(&file.location, start..file.size).await?;
    let length = usize::from(*tail.last().ok_or_else(no_orc)?);
    let end = tail.len() - 1;
    let script = tail.get(end.checked_sub(length).ok_or_else(no_orc)?..end).ok_or_else(no_orc)?;
    if !script.ends_with(b"ORC") {
        return Err(no_orc());
    }
    let script = PostScript::decode(script).map_err(|_| no_orc())?;
    if script.footer_length > FOOTER_BYTES {
        return exec_err!("'{}' has a footer of {} bytes", file.location, script.footer_length);
    }
    let end = file.size - 1 - length as u64;
    let from = end.checked_sub(script.footer_length).ok_or_else(no_orc)?;
    let bytes: Bytes = store.get_range(&file.location, from..end).await?;
    let bytes = decompressed(&bytes, &script)?;
    Footer::decode(bytes.as_slice()).map_err(|_| no_orc())
}

/// Blocks, each behind three bytes that say its length and whether it is compressed.
fn decompressed(mut bytes: &[u8], script: &PostScript) -> Result<Vec<u8>> {
    if script.compression == 0 {
        return Ok(bytes.to_vec());
    }
    let damaged = || exec_datafusion_err!("the footer is damaged");
    let most = usize::try_from(script.block_size.clamp(1 << 10, FOOTER_BYTES)).unwrap_or(usize::MAX);
    let mut out = Vec::new();
    while let [a, b, c, rest @ ..] = bytes {
        let header = u32::from_le_bytes([*a, *b, *c, 0]);
        let length = (header >> 1) as usize;
        let block = rest.get(..length).ok_or_else(damaged)?;
        bytes = rest.get(length..).ok_or_else(damaged)?;
        if header & 1 == 1 {
            out.extend_from_slice(block);
            continue;
        }
        let io = |error: std::io::Error| DataFusionError::IoError(error);
        match script.compression {
            1 => {
                let decoder = flate2::read::DeflateDecoder::new(block);
                decoder.take(FOOTER_BYTES).read_to_end(&mut out).map_err(io)?;
            }
            2 => out.extend(snap::raw::Decoder::new().decompress_vec(block).map_err(|_| damaged())?),
            4 => out.extend(lz4_flex::block::decompress(block, most).map_err(|_| damaged())?),
            5 => {
                let decoder = zstd::stream::read::Decoder::new(block).map_err(io)?;
                decoder.take(FOOTER_BYTES).read_to_end(&mut out).map_err(io)?;
            }
            _ => return exec_err!("ORC files compressed with LZO are not read"),
        }
        if out.len() as u64 > FOOTER_BYTES {
            return Err(damaged());
        }
    }
    Ok(out)
}

fn data_type(types: &[Type], at: u32, depth: usize) -> Result<DataType> {
    let damaged = || exec_datafusion_err!("the types in the footer are damaged");
    let this = usize::try_from(at).ok().and_then(|at| types.get(at)).ok_or_else(damaged)?;
    if depth > 100 {
        return Err(damaged());
    }
    let inner = |which: usize| data_type(types, *this.subtypes.get(which).ok_or_else(damaged)?, depth + 1);
    if let Some(noted) = this.attributes.iter().find(|attribute| attribute.key == SPARK_TYPE)
        && this.subtypes.is_empty()
    {
        let noted = noted.value.to_lowercase();
        if !noted.starts_with("char") && !noted.starts_with("varchar") {
            return Ok(records::type_of(&noted)?);
        }
    }
    Ok(match this.kind {
        0 => DataType::Boolean,
        1 => DataType::Byte,
        2 => DataType::Short,
        3 => DataType::Int,
        4 => DataType::Long,
        5 => DataType::Float,
        6 => DataType::Double,
        7 | 16 | 17 => DataType::String,
        8 => DataType::Binary,
        9 | 18 => DataType::Timestamp,
        10 => DataType::Array(Box::new(inner(0)?), true),
        11 => DataType::Map(Box::new(inner(0)?), Box::new(inner(1)?), true),
        12 => {
            let field = |(which, name): (usize, &String)| Ok(StructField::new(name, inner(which)?, true));
            DataType::Struct(this.field_names.iter().enumerate().map(field).collect::<Result<_>>()?)
        }
        14 => {
            // Hive once wrote decimals without saying their digits.
            let precision = if this.precision == 0 { 38 } else { this.precision };
            let scale = if this.precision == 0 { 10 } else { this.scale };
            DataType::Decimal(
                u8::try_from(precision).map_err(|_| damaged())?,
                i8::try_from(scale).map_err(|_| damaged())?,
            )
        }
        15 => DataType::Date,
        _ => return exec_err!("ORC files with unions are not read"),
    })
}
