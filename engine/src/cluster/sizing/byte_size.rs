//! Sizes in bytes as people write them: Spark's way in, ours out.
//! Knows no key and no limit.

/// Bytes of a kibibyte.
pub const KIB: u64 = 1 << 10;
/// Bytes of a mebibyte.
pub const MIB: u64 = 1 << 20;
/// Bytes of a gibibyte, which is what both AWS's "GB" of a worker and Spark's `g` are.
pub const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const PIB: u64 = 1 << 50;

/// Reads a size in bytes as Spark 3.5 does (`JavaUtils.byteStringAs`): a whole number and a suffix of any case, `b`, `k`, `kb`,
/// `m`, `mb`, `g`, `gb`, `t`, `tb`, `p` or `pb`; a number alone counts in `unit` bytes. `None` where Spark refuses it, as
/// `1.5g` and `10gib`, or where it is more than Spark's `Long` holds.
pub fn read(text: &str, unit: u64) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let unit = match suffix {
        "" => unit,
        "b" => 1,
        "k" | "kb" => KIB,
        "m" | "mb" => MIB,
        "g" | "gb" => GIB,
        "t" | "tb" => TIB,
        "p" | "pb" => PIB,
        _ => return None,
    };
    let bytes = number.parse::<u64>().ok()?.checked_mul(unit)?;
    i64::try_from(bytes).is_ok().then_some(bytes)
}

/// A size in bytes for people, to a tenth: `10 GiB`, `8.7 GiB`, `640 MiB`.
pub fn show(bytes: u64) -> String {
    let (name, unit) = match bytes {
        TIB.. => ("TiB", TIB),
        GIB.. => ("GiB", GIB),
        MIB.. => ("MiB", MIB),
        KIB.. => ("KiB", KIB),
        _ => return format!("{bytes} bytes"),
    };
    // Down, so that no limit looks larger than it is.
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    if tenths % 10 == 0 { format!("{} {name}", tenths / 10) } else { format!("{}.{} {name}", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_spark_reads_them() {
        // Each line was tried on Spark 3.5.4.
        for (text, expected) in [
            ("10g", Some(10 * GIB)),
            ("10G", Some(10 * GIB)),
            (" 10gb ", Some(10 * GIB)),
            ("512m", Some(512 * MIB)),
            ("512mb", Some(512 * MIB)),
            ("1024", Some(1024 * MIB)),
            ("10kb", Some(10 * KIB)),
            ("10k", Some(10 * KIB)),
            ("100b", Some(100)),
            ("1t", Some(TIB)),
            ("1tb", Some(TIB)),
            ("2p", Some(2 * PIB)),
            ("2pb", Some(2 * PIB)),
            ("0", Some(0)),
            ("9999999p", None),
            ("1.5g", None),
            ("10gib", None),
            ("1 g", None),
            ("-1", None),
            ("+1g", None),
            ("g", None),
            ("", None),
        ] {
            assert_eq!(read(text, MIB), expected, "{text:?}");
        }
        assert_eq!(read("1024", 1), Some(1024));
    }

    #[test]
    fn sizes_are_shown_to_a_tenth_and_never_rounded_up() {
        let shown = [0, 1023, KIB, 640 * MIB, GIB - 1, 10 * GIB, 12 * GIB * 10 / 11, 2 * TIB, u64::MAX].map(show);
        expect_test::expect![
            "0 bytes, 1023 bytes, 1 KiB, 640 MiB, 1023.9 MiB, 10 GiB, 10.9 GiB, 2 TiB, 16777215.9 TiB"
        ]
        .assert_eq(&shown.join(", "));
    }
}
