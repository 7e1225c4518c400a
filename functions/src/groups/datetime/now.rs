//! The time of the query. It is DataFusion's `now()`, which the planner makes one constant for the whole query; a resolver that
//! fixes it itself puts its own constant in the place of [`instant`].

use arrow::array::Int64Array;
use datafusion::logical_expr::{Cast, Expr};

use crate::checks::{count, named, named_as};
use crate::civil::DAY;
use crate::columns::{Column, each, kernels, some};
use crate::error::Result;
use crate::zone::Zone;
use crate::{Call, DataType, SparkUdf, Typed};

kernels! {
    LOCAL_DATE = "spark_local_date", |a| {
        let zone = Zone::of(&a.settings.time_zone)?;
        let micros = Column::<Int64Array>::of(a, 0)?;
        each::<arrow::array::Int32Array, i32>(a, |row| {
            Ok(i32::try_from(zone.local(some!(micros.get(row))).div_euclid(DAY)).ok())
        })
    };
    LOCAL_TIMESTAMP = "spark_local_timestamp", |a| {
        let zone = Zone::of(&a.settings.time_zone)?;
        let micros = Column::<Int64Array>::of(a, 0)?;
        each::<Int64Array, i64>(a, |row| Ok(micros.get(row).map(|micros| zone.local(micros))))
    };
}

/// The instant of the query.
pub(super) fn instant() -> Typed {
    let expr = Expr::Cast(Cast::new(Box::new(datafusion::prelude::now()), DataType::Timestamp.to_arrow()));
    Typed {
        expr,
        data_type: DataType::Timestamp,
        nullable: false,
        name: "current_timestamp()".to_owned(),
        foldable: true,
    }
}

pub(super) fn current_timestamp(call: Call<'_>) -> Result<Typed> {
    count(&call, &[0])?;
    Ok(Typed { name: named(&call), ..instant() })
}

pub(super) fn current_date(call: Call<'_>) -> Result<Typed> {
    count(&call, &[0])?;
    let name = named_as("current_date", &[]);
    Ok(SparkUdf::call(&LOCAL_DATE, call.settings, vec![instant()], DataType::Date, false, name))
}

pub(super) fn localtimestamp(call: Call<'_>) -> Result<Typed> {
    count(&call, &[0])?;
    let name = named(&call);
    Ok(SparkUdf::call(&LOCAL_TIMESTAMP, call.settings, vec![instant()], DataType::TimestampNtz, false, name))
}

pub(super) fn current_timezone(call: Call<'_>) -> Result<Typed> {
    count(&call, &[0])?;
    Ok(Typed { name: named(&call), ..crate::checks::text(&call.settings.time_zone) })
}
