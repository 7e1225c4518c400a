//! What a quoted text says: quotes and escapes undone, as Spark does it.

/// The name within backquotes (or double quotes, where these quote names).
pub(crate) fn unquoted_name(quoted: &str) -> String {
    let (quote, doubled) = if quoted.starts_with('`') { ("`", "``") } else { ("\"", "\"\"") };
    let inner = &quoted[1..quoted.len() - 1];
    inner.replace(doubled, quote)
}

/// The text within quotes, without them; nothing is escaped in `r'…'` or if `literal`.
pub(crate) fn unquoted_text(quoted: &str, literal: bool) -> String {
    if quoted.starts_with(['r', 'R']) {
        return quoted[2..quoted.len() - 1].to_owned();
    }
    let inner = &quoted[1..quoted.len() - 1];
    if literal || !inner.contains('\\') { inner.to_owned() } else { unescaped(inner) }
}

fn unescaped(text: &str) -> String {
    let mut units = Units(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first != '\\' || rest.len() == 1 {
            units.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let taken = escape(&rest[1..], &mut units);
        rest = &rest[1 + taken..];
    }
    String::from_utf16_lossy(&units.0)
}

/// UTF-16, of which `\uD83D\uDE00` writes one character in two.
struct Units(Vec<u16>);

impl Units {
    fn push(&mut self, char: char) {
        self.0.extend_from_slice(char.encode_utf16(&mut [0; 2]));
    }
}

/// Puts out what `text`, which stands behind a backslash, means; says how many bytes of it that took.
fn escape(text: &str, units: &mut Units) -> usize {
    let bytes = text.as_bytes();
    let hex = |length: usize| bytes.get(1..=length).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let number =
        |digits: &[u8], radix| std::str::from_utf8(digits).ok().and_then(|d| u32::from_str_radix(d, radix).ok());
    match bytes[0] {
        b'u' => {
            if let Some(unit) = hex(4).and_then(|digits| number(digits, 16)) {
                units.0.push(unit as u16);
                return 5;
            }
        }
        b'U' => {
            if let Some(code) = hex(8).and_then(|digits| number(digits, 16)) {
                units.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                return 9;
            }
        }
        b'0' | b'1' => {
            let octal = bytes.get(..3).filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
            if let Some(code) = octal.and_then(|digits| number(digits, 8)) {
                units.0.push(code as u16);
                return 3;
            }
        }
        _ => {}
    }
    let first = text.chars().next().unwrap_or('\\');
    match first {
        '0' => units.push('\0'),
        'b' => units.push('\u{8}'),
        'n' => units.push('\n'),
        'r' => units.push('\r'),
        't' => units.push('\t'),
        'Z' => units.push('\u{1A}'),
        // They stay escaped: LIKE undoes them.
        '%' | '_' => {
            units.push('\\');
            units.push(first);
        }
        other => units.push(other),
    }
    first.len_utf8()
}
