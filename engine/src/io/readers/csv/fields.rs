//! The fields of records as they are read, before anybody asks what they mean.

/// A place between two records.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    /// How many fields are before it.
    pub ends: usize,
}

/// The fields of records, one after the other.
#[derive(Debug, Default)]
pub struct Fields {
    /// Their text without quotes and escapes.
    pub bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    pub ends: Vec<usize>,
}

impl Fields {
    /// Where the text of the next field begins.
    pub fn start(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The field is complete.
    pub fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// Where the next record will begin.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), ends: self.ends.len() }
    }

    /// Forgets what was read since.
    pub fn go_back(&mut self, to: Mark) {
        self.bytes.truncate(to.bytes);
        self.ends.truncate(to.ends);
    }

    /// The text of each field.
    pub fn texts(&self) -> Vec<String> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(start, end)| String::from_utf8_lossy(&self.bytes[*start..*end]).into_owned())
            .collect()
    }

    /// All fields in one text, and where each ends in it. Bytes that are no UTF-8 become U+FFFD, as in Spark, and `invalid` is told in which fields.
    pub fn into_text(self, mut invalid: impl FnMut(usize)) -> (String, Vec<usize>) {
        let bytes = match String::from_utf8(self.bytes) {
            Ok(text) if self.ends.iter().all(|end| text.is_char_boundary(*end)) => return (text, self.ends),
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let (mut text, mut ends, mut start) = (String::with_capacity(bytes.len()), self.ends, 0);
        for (field, end) in ends.iter_mut().enumerate() {
            let read = String::from_utf8_lossy(&bytes[start..*end]);
            if matches!(read, std::borrow::Cow::Owned(_)) {
                invalid(field);
            }
            text.push_str(&read);
            start = std::mem::replace(end, text.len());
        }
        (text, ends)
    }
}
