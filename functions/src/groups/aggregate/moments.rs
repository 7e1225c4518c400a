//! Means, variances and the like, of one column and of two: sums of powers about a mean that moves along (Welford, Chan).

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType as Arrow, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::fold::{Context, Fold, How};

const SIX: &[Arrow] = &[Arrow::Float64, Arrow::Float64, Arrow::Float64, Arrow::Float64, Arrow::Float64, Arrow::Float64];
const FIVE: &[Arrow] = &[Arrow::Float64, Arrow::Float64, Arrow::Float64, Arrow::Float64, Arrow::Float64];

const fn single(name: &'static str, make: fn(&Context) -> Box<dyn Accumulator>) -> Fold {
    Fold { name, how: How::State(make, FIVE) }
}

const fn paired(name: &'static str, make: fn(&Context) -> Box<dyn Accumulator>) -> Fold {
    Fold { name, how: How::State(make, SIX) }
}

pub(super) static SKEWNESS: Fold = single("spark_skewness", |context| {
    if legacy(context) {
        return Moments::of(|m| Some(if m.m2 == 0.0 { f64::NAN } else { m.skewness() }));
    }
    Moments::of(|m| (m.m2 != 0.0).then(|| m.skewness()))
});
pub(super) static KURTOSIS: Fold = single("spark_kurtosis", |context| {
    if legacy(context) {
        return Moments::of(|m| Some(if m.m2 == 0.0 { f64::NAN } else { m.kurtosis() }));
    }
    Moments::of(|m| (m.m2 != 0.0).then(|| m.kurtosis()))
});

pub(super) static CORR: Fold =
    paired("spark_corr", |_| Pairs::of(|p| quotient(p.cxy, (p.mxx * p.myy).sqrt()).filter(|_| p.n > 1.0)));
pub(super) static COVAR_POP: Fold = paired("spark_covar_pop", |_| Pairs::of(|p| Some(p.cxy / p.n)));
pub(super) static COVAR_SAMP: Fold =
    paired("spark_covar_samp", |_| Pairs::of(|p| (p.n > 1.0).then(|| p.cxy / (p.n - 1.0))));
// The first argument of these is y, the second x.
pub(super) static REGR_AVGX: Fold = paired("spark_regr_avgx", |_| Pairs::of(|p| Some(p.my)));
pub(super) static REGR_AVGY: Fold = paired("spark_regr_avgy", |_| Pairs::of(|p| Some(p.mx)));
pub(super) static REGR_SXX: Fold = paired("spark_regr_sxx", |_| Pairs::of(|p| Some(p.myy)));
pub(super) static REGR_SYY: Fold = paired("spark_regr_syy", |_| Pairs::of(|p| Some(p.mxx)));
pub(super) static REGR_SXY: Fold = paired("spark_regr_sxy", |_| Pairs::of(|p| Some(p.cxy)));
pub(super) static REGR_SLOPE: Fold = paired("spark_regr_slope", |_| Pairs::of(Pairs::slope));
pub(super) static REGR_INTERCEPT: Fold =
    paired("spark_regr_intercept", |_| Pairs::of(|p| p.slope().map(|slope| p.mx - slope * p.my)));
pub(super) static REGR_R2: Fold = paired("spark_regr_r2", |_| {
    Pairs::of(|p| match (p.mxx == 0.0, p.myy == 0.0) {
        (true, _) => None,
        (false, true) => Some(1.0),
        (false, false) => Some(p.cxy * p.cxy / p.mxx / p.myy),
    })
});

fn legacy(context: &Context) -> bool {
    context.settings.others.get("spark.sql.legacy.statisticalaggregate").is_some_and(|value| value == "true")
}

/// Nothing where the divisor is zero.
fn quotient(of: f64, by: f64) -> Option<f64> {
    (by != 0.0).then(|| of / by)
}

/// Of one column.
#[derive(Debug)]
struct Moments {
    n: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
    finish: fn(&Moments) -> Option<f64>,
}

impl Moments {
    fn of(finish: fn(&Moments) -> Option<f64>) -> Box<dyn Accumulator> {
        Box::new(Moments { n: 0.0, mean: 0.0, m2: 0.0, m3: 0.0, m4: 0.0, finish })
    }

    fn skewness(&self) -> f64 {
        self.n.sqrt() * self.m3 / (self.m2 * self.m2 * self.m2).sqrt()
    }

    fn kurtosis(&self) -> f64 {
        self.n * self.m4 / (self.m2 * self.m2) - 3.0
    }

    fn add(&mut self, value: f64) {
        let n = self.n + 1.0;
        let delta = value - self.mean;
        let by_n = delta / n;
        self.mean += by_n;
        let m2 = self.m2 + delta * (delta - by_n);
        let (delta2, by_n2) = (delta * delta, by_n * by_n);
        let m3 = self.m3 - 3.0 * by_n * m2 + delta * (delta2 - by_n2);
        self.m4 = self.m4 - 4.0 * by_n * m3 - 6.0 * by_n2 * m2 + delta * (delta * delta2 - by_n * by_n2);
        (self.n, self.m2, self.m3) = (n, m2, m3);
    }

    fn join(&mut self, [n2, mean, m2, m3, m4]: [f64; 5]) {
        if n2 == 0.0 {
            return;
        }
        let n1 = self.n;
        let n = n1 + n2;
        let delta = mean - self.mean;
        let by_n = if n == 0.0 { 0.0 } else { delta / n };
        self.m4 = self.m4
            + m4
            + by_n * by_n * by_n * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2)
            + 6.0 * by_n * by_n * (n1 * n1 * m2 + n2 * n2 * self.m2)
            + 4.0 * by_n * (n1 * m3 - n2 * self.m3);
        self.m3 = self.m3 + m3 + by_n * by_n * delta * n1 * n2 * (n1 - n2) + 3.0 * by_n * (n1 * m2 - n2 * self.m2);
        self.m2 = self.m2 + m2 + delta * by_n * n1 * n2;
        self.mean += by_n * n2;
        self.n = n;
    }
}

impl Accumulator for Moments {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = doubles(values.first())?;
        values.iter().flatten().for_each(|value| self.add(value));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(if self.n > 0.0 { (self.finish)(self) } else { None }))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok([self.n, self.mean, self.m2, self.m3, self.m4].map(|part| ScalarValue::Float64(Some(part))).into())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in parts::<5>(states)? {
            self.join(state);
        }
        Ok(())
    }
}

/// Of two columns.
#[derive(Debug)]
struct Pairs {
    n: f64,
    mx: f64,
    my: f64,
    mxx: f64,
    myy: f64,
    cxy: f64,
    finish: fn(&Pairs) -> Option<f64>,
}

impl Pairs {
    fn of(finish: fn(&Pairs) -> Option<f64>) -> Box<dyn Accumulator> {
        Box::new(Pairs { n: 0.0, mx: 0.0, my: 0.0, mxx: 0.0, myy: 0.0, cxy: 0.0, finish })
    }

    fn slope(&self) -> Option<f64> {
        quotient(self.cxy, self.myy)
    }

    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        let (dx, dy) = (x - self.mx, y - self.my);
        self.mx += dx / self.n;
        self.my += dy / self.n;
        self.cxy += dx * (y - self.my);
        self.mxx += dx * (x - self.mx);
        self.myy += dy * (y - self.my);
    }

    fn join(&mut self, [n2, mx, my, mxx, myy, cxy]: [f64; 6]) {
        if n2 == 0.0 {
            return;
        }
        let n = self.n + n2;
        let (dx, dy) = (mx - self.mx, my - self.my);
        let weight = self.n * n2 / n;
        self.mxx += mxx + dx * dx * weight;
        self.myy += myy + dy * dy * weight;
        self.cxy += cxy + dx * dy * weight;
        self.mx += dx * n2 / n;
        self.my += dy * n2 / n;
        self.n = n;
    }
}

impl Accumulator for Pairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (xs, ys) = (doubles(values.first())?, doubles(values.get(1))?);
        for (x, y) in xs.iter().zip(ys.iter()) {
            if let (Some(x), Some(y)) = (x, y) {
                self.add(x, y);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(if self.n > 0.0 { (self.finish)(self) } else { None }))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts = [self.n, self.mx, self.my, self.mxx, self.myy, self.cxy];
        Ok(parts.map(|part| ScalarValue::Float64(Some(part))).into())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in parts::<6>(states)? {
            self.join(state);
        }
        Ok(())
    }
}

fn doubles(array: Option<&ArrayRef>) -> Result<arrow::array::Float64Array> {
    match array.and_then(|array| array.as_primitive_opt::<Float64Type>()) {
        Some(array) => Ok(array.clone()),
        None => datafusion::common::exec_err!("a column of doubles was expected"),
    }
}

fn parts<const N: usize>(states: &[ArrayRef]) -> Result<Vec<[f64; N]>> {
    let columns = states.iter().map(|state| doubles(Some(state))).collect::<Result<Vec<_>>>()?;
    let rows = columns.first().map_or(0, |column| column.len());
    let row = |row: usize| std::array::from_fn(|at| columns.get(at).map_or(0.0, |column| column.value(row)));
    Ok((0..rows).map(row).collect())
}
