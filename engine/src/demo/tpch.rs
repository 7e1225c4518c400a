//! The eight tables of TPC-H as Parquet files, for comparisons; the same scale gives the same rows.

use std::fs::{self, File};
use std::path::Path;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow, SupplierArrow,
};

use crate::EngineError;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

/// The tables, each a folder of its name.
pub const TPCH_TABLES: [&str; 8] =
    ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

/// Files of each of the large tables.
const FILES: i32 = 8;

/// Writes the tables under `folder`; a scale of 1 has six million line items.
///
/// # Errors
/// The scale is not above 0, or a file cannot be written.
pub fn tpch(folder: &Path, scale: f64) -> Result<(), EngineError> {
    if !scale.is_finite() || scale <= 0.0 {
        return Err(EngineError::Setting(format!("a TPC-H scale must be above 0, not {scale}")));
    }
    for table in TPCH_TABLES {
        let of_table = folder.join(table);
        fs::create_dir_all(&of_table).map_err(|error| not_written(&of_table, &error))?;
        let files = if matches!(table, "nation" | "region") { 1 } else { FILES };
        for file in 1..=files {
            let path = of_table.join(format!("part-{file:05}.parquet"));
            write(&path, rows(table, scale, file, files)).map_err(|error| not_written(&path, &error))?;
        }
    }
    Ok(())
}

fn rows(table: &str, scale: f64, part: i32, parts: i32) -> Batches {
    match table {
        "customer" => Box::new(CustomerArrow::new(CustomerGenerator::new(scale, part, parts))),
        "lineitem" => Box::new(LineItemArrow::new(LineItemGenerator::new(scale, part, parts))),
        "nation" => Box::new(NationArrow::new(NationGenerator::default())),
        "orders" => Box::new(OrderArrow::new(OrderGenerator::new(scale, part, parts))),
        "part" => Box::new(PartArrow::new(PartGenerator::new(scale, part, parts))),
        "partsupp" => Box::new(PartSuppArrow::new(PartSuppGenerator::new(scale, part, parts))),
        "region" => Box::new(RegionArrow::new(RegionGenerator::default())),
        _ => Box::new(SupplierArrow::new(SupplierGenerator::new(scale, part, parts))),
    }
}

fn write(path: &Path, rows: Batches) -> Result<(), ParquetError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    // Spark knows Parquet's types, not Arrow's.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut rows = rows;
    let Some(first) = rows.next().transpose()? else { return Ok(()) }; // a small scale leaves some files without rows
    let mut writer = ArrowWriter::try_new_with_options(File::create(path)?, first.schema(), options)?;
    writer.write(&first)?;
    for batch in rows {
        writer.write(&batch?)?;
    }
    writer.close()?;
    Ok(())
}

fn not_written(path: &Path, error: &dyn std::error::Error) -> EngineError {
    EngineError::Setting(format!("cannot write {}: {error}", path.display()))
}
