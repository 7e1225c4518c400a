//! Everything that is registered is the same on the other side.

use std::sync::Arc;

use arrow::datatypes::{DataType as Arrow, Field};

use super::*;
use crate::{DataType, Settings};

fn settings() -> Settings {
    let others = [("spark.sql.x".to_owned(), "y \"z\"".to_owned())].into();
    Settings { ansi: true, time_zone: "America/Los_Angeles".to_owned(), others, ..Settings::default() }
}

fn returns() -> Field {
    DataType::Array(Box::new(DataType::DAY_TO_SECOND), true).to_field("r", false)
}

#[test]
fn every_kernel_survives_the_wire() {
    let mut names = std::collections::HashSet::new();
    for kernel in kernels() {
        assert!(names.insert(kernel.name), "{} is there twice", kernel.name);
        let udf = ScalarUDF::new_from_impl(SparkUdf::new(kernel, Arc::new(returns()), Arc::new(settings())));
        let bytes = encode(&udf).unwrap().unwrap();
        assert_eq!(decode(udf.name(), &bytes).unwrap().as_ref(), &udf);
    }
}

#[test]
fn every_fold_survives_the_wire() {
    for fold in FOLDS {
        let context = Context {
            returns: returns(),
            inputs: vec![Arrow::Int64, Arrow::Decimal128(3, 2)],
            parameters: vec![0.5_f64.to_bits(), f64::NAN.to_bits()],
            settings: settings(),
        };
        let udaf = AggregateUDF::new_from_impl(SparkAggregate::new(fold, context));
        let bytes = encode_aggregate(&udaf).unwrap().unwrap();
        assert_eq!(decode_aggregate(udaf.name(), &bytes).unwrap().as_ref(), &udaf);
    }
}

#[test]
fn every_function_with_lambdas_survives_the_wire() {
    for kernel in LAMBDAS {
        let variable = |name: &str| Arc::new(Field::new(name, Arrow::Int32, true));
        let parameters = vec![vec![variable("a"), variable("b")], vec![], vec![variable("c")]];
        let udf = SparkLambda::new(kernel, parameters, Arc::new(returns()), Arc::new(settings()));
        let udf = HigherOrderUDF::new_from_impl(udf);
        let bytes = encode_lambda(&udf).unwrap().unwrap();
        assert_eq!(decode_lambda(udf.name(), &bytes).unwrap().as_ref(), &udf);
    }
}

#[test]
fn every_window_function_survives_the_wire() {
    for (name, _) in crate::groups::window::WINDOWS {
        let udf = WindowUDF::new_from_impl(SparkWindow::named(name, Arc::new(returns())).unwrap());
        let bytes = encode_window(&udf).unwrap().unwrap();
        assert_eq!(decode_window(udf.name(), &bytes).unwrap().as_ref(), &udf);
    }
}

#[test]
fn other_bytes_are_refused() {
    for bytes in [&[][..], &[1, 2, 3], &[255, 255, 255, 255], &[2, 0, 0, 0, b'{', b'}'], &[0, 0, 0, 0, 1, 2]] {
        assert!(decode("spark_array", bytes).is_err());
    }
    assert!(decode("nonsense", &[]).is_err());
}
