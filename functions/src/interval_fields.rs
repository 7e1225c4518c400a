//! The fields that an interval's type begins and ends with.

/// Fields of a day-time interval, the largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum DayTimeField {
    Day,
    Hour,
    Minute,
    Second,
}

/// Fields of a year-month interval, the largest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum YearMonthField {
    Year,
    Month,
}

impl DayTimeField {
    /// As in types: `day`.
    pub fn name(self) -> &'static str {
        match self {
            DayTimeField::Day => "day",
            DayTimeField::Hour => "hour",
            DayTimeField::Minute => "minute",
            DayTimeField::Second => "second",
        }
    }

    /// The field of that name.
    pub fn of(name: &str) -> Option<Self> {
        [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second]
            .into_iter()
            .find(|field| field.name() == name)
    }
}

impl YearMonthField {
    /// As in types: `year`.
    pub fn name(self) -> &'static str {
        match self {
            YearMonthField::Year => "year",
            YearMonthField::Month => "month",
        }
    }

    /// The field of that name.
    pub fn of(name: &str) -> Option<Self> {
        [YearMonthField::Year, YearMonthField::Month].into_iter().find(|field| field.name() == name)
    }
}
