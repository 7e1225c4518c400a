//! A pattern of Java in the syntax of `fancy-regex`.

const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";

/// Why a pattern has no translation.
pub(super) enum Refusal {
    /// Java refuses it.
    Java,
    /// Java knows it.
    Ours(&'static str),
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    dot_all: bool,
    lines: bool,
}

/// A pattern on its way into the other syntax.
pub(super) struct Translation<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    exact: bool,
    /// Whether line ends mean something in it.
    pub knows_lines: bool,
    flags: Flags,
    outer: Vec<Flags>,
    to: String,
}

impl<'a> Translation<'a> {
    pub fn new(pattern: &'a str, exact: bool) -> Self {
        let rest = pattern.chars().peekable();
        Translation { rest, exact, knows_lines: false, flags: Flags::default(), outer: Vec::new(), to: String::new() }
    }

    pub fn pattern(&mut self) -> Result<String, Refusal> {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class(0)?,
                '(' => self.group()?,
                ')' => {
                    self.flags = self.outer.pop().ok_or(Refusal::Java)?;
                    self.to.push(')');
                }
                '.' if !self.flags.dot_all => {
                    self.knows_lines = true;
                    if self.exact { self.add(&format!("[^{LINE_ENDS}]")) } else { self.add("(?s:.)") }
                }
                '$' => {
                    self.knows_lines = true;
                    match (self.exact, self.flags.lines) {
                        (false, _) => self.add(r"\z"),
                        (true, true) => self.add(&format!(r"(?:(?=[{LINE_ENDS}])(?<!\r(?=\n))|\z)")),
                        (true, false) => self.add(&format!(r"(?=(?:\r\n|[{LINE_ENDS}])?\z)(?<!\r(?=\n))")),
                    }
                }
                '^' if self.flags.lines => {
                    self.knows_lines = true;
                    let exact = format!(r"(?:\A|(?<=[{LINE_ENDS}])(?<!\r(?=\n))(?!\z))");
                    self.add(if self.exact { &exact } else { r"\A" });
                }
                '^' => self.add(r"\A"),
                c if self.flags.ignore_case && !c.is_ascii() && c.is_alphabetic() => {
                    return Err(Refusal::Ours("letters beyond ASCII under (?i)"));
                }
                c => self.to.push(c),
            }
        }
        if self.outer.is_empty() { Ok(std::mem::take(&mut self.to)) } else { Err(Refusal::Java) }
    }

    fn add(&mut self, text: &str) {
        self.to.push_str(text);
    }

    /// After `(`.
    fn group(&mut self) -> Result<(), Refusal> {
        self.to.push('(');
        let within = self.flags;
        if self.rest.next_if_eq(&'?').is_none() {
            self.outer.push(within);
            return Ok(());
        }
        self.to.push('?');
        match self.rest.peek().copied() {
            Some(':' | '=' | '!' | '>') => {
                self.to.extend(self.rest.next());
                self.outer.push(within);
            }
            Some('<') => {
                self.to.extend(self.rest.next());
                if let Some(look) = self.rest.next_if(|c| matches!(c, '=' | '!')) {
                    self.to.push(look);
                } else {
                    for c in self.rest.by_ref() {
                        self.to.push(c);
                        if c == '>' {
                            break;
                        }
                    }
                }
                self.outer.push(within);
            }
            _ => self.inline_flags(within)?,
        }
        Ok(())
    }

    fn inline_flags(&mut self, within: Flags) -> Result<(), Refusal> {
        let mut on = true;
        let mut flags = self.flags;
        let mut said = String::new();
        for c in self.rest.by_ref() {
            match c {
                '-' => on = false,
                'i' => flags.ignore_case = on,
                's' => flags.dot_all = on,
                'm' => flags.lines = on,
                'x' => return Err(Refusal::Ours("the flag x")),
                'u' => {}
                'd' => return Err(Refusal::Ours("the flag d")),
                'U' => return Err(Refusal::Ours("the flag U")),
                ':' | ')' => {
                    let flag = |letter: char, is: bool, was: bool, said: &mut String| {
                        if is && !was {
                            said.insert(0, letter);
                        } else if !is && was {
                            said.push(letter);
                        }
                    };
                    let (mut set, mut unset) = (String::new(), String::new());
                    for (letter, is, was) in
                        [('i', flags.ignore_case, self.flags.ignore_case), ('s', flags.dot_all, self.flags.dot_all)]
                    {
                        flag(letter, is, was, if is { &mut set } else { &mut unset });
                    }
                    said.push_str(&set);
                    if !unset.is_empty() {
                        said.push('-');
                        said.push_str(&unset);
                    }
                    self.flags = flags;
                    if c == ':' {
                        self.outer.push(within);
                        self.to.push_str(&said);
                        self.to.push(':');
                    } else if said.is_empty() {
                        self.to.push_str(":)");
                    } else {
                        self.to.push_str(&said);
                        self.to.push(')');
                    }
                    return Ok(());
                }
                _ => return Err(Refusal::Java),
            }
        }
        Err(Refusal::Java)
    }

    /// After `[`: Java's classes nest and intersect as ours do; what only ours knows is escaped.
    fn class(&mut self, depth: usize) -> Result<(), Refusal> {
        if depth > 50 {
            return Err(Refusal::Ours("classes nested so deep"));
        }
        self.to.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.to.push('^');
        }
        let mut first = true;
        loop {
            match self.rest.next().ok_or(Refusal::Java)? {
                ']' if first => self.add(r"\]"),
                ']' => {
                    self.to.push(']');
                    return Ok(());
                }
                '[' => self.class(depth + 1)?,
                '\\' => self.escape(true)?,
                '&' if self.rest.next_if_eq(&'&').is_some() => self.add("&&"),
                '-' if self.rest.peek() == Some(&'-') => self.add(r"\-"),
                c @ ('&' | '~' | '#' | ' ') => {
                    self.to.push('\\');
                    self.to.push(c);
                }
                c if self.flags.ignore_case && !c.is_ascii() && c.is_alphabetic() => {
                    return Err(Refusal::Ours("letters beyond ASCII under (?i)"));
                }
                c => self.to.push(c),
            }
            first = false;
        }
    }

    /// After a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), Refusal> {
        let c = self.rest.next().ok_or(Refusal::Java)?;
        let set = |inside: &str| if in_class { inside.to_owned() } else { format!("[{inside}]") };
        let not = |inside: &str| format!("[^{inside}]");
        const SPACE: &str = r" \t\n\x0B\f\r";
        const ACROSS: &str = r" \t\xA0\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
        const DOWN: &str = r"\n\x0B\f\r\x{85}\x{2028}\x{2029}";
        let text = match c {
            'd' => set("0-9"),
            'D' => not("0-9"),
            'w' => set("a-zA-Z0-9_"),
            'W' => not("a-zA-Z0-9_"),
            's' => set(SPACE),
            'S' => not(SPACE),
            'h' => set(ACROSS),
            'H' => not(ACROSS),
            'v' => set(DOWN),
            'V' => not(DOWN),
            'R' if !in_class => format!(r"(?:\r\n|[{DOWN}])"),
            'Z' if !in_class => format!(r"(?=(?:\r\n|[{LINE_ENDS}])?\z)"),
            'A' | 'z' | 'b' | 'B' if !in_class => format!("\\{c}"),
            't' | 'n' | 'r' | 'f' => format!("\\{c}"),
            'a' => r"\x07".to_owned(),
            'e' => r"\x1B".to_owned(),
            'x' => match self.rest.next_if_eq(&'{') {
                Some(_) => {
                    let digits: String = std::iter::from_fn(|| self.rest.next_if(char::is_ascii_hexdigit)).collect();
                    self.rest.next_if_eq(&'}').ok_or(Refusal::Java)?;
                    format!(r"\x{{{digits}}}")
                }
                None => self.code(2)?,
            },
            'u' => self.code(4)?,
            '0' => {
                let digits: String =
                    std::iter::from_fn(|| self.rest.next_if(|c| ('0'..='7').contains(c))).take(3).collect();
                let code = u32::from_str_radix(&digits, 8).map_err(|_| Refusal::Java)?;
                format!(r"\x{{{code:x}}}")
            }
            'c' => {
                let control = self.rest.next().ok_or(Refusal::Java)?;
                format!(r"\x{{{:x}}}", u32::from(control) ^ 64)
            }
            'p' | 'P' => self.property(c == 'P')?,
            'Q' => {
                let mut quoted = String::new();
                while let Some(c) = self.rest.next() {
                    if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                        break;
                    }
                    quoted.push(c);
                }
                escaped(&quoted)
            }
            'E' => String::new(),
            '1'..='9' if !in_class => self.back_reference(c),
            'k' if !in_class => {
                let name: String = std::iter::from_fn(|| self.rest.next_if(|c| *c != '>')).collect();
                self.rest.next();
                format!("\\k{name}>")
            }
            'G' => return Err(Refusal::Ours("\\G")),
            'N' => return Err(Refusal::Ours("\\N")),
            'X' => return Err(Refusal::Ours("\\X")),
            c if c.is_ascii_alphabetic() => return Err(Refusal::Java),
            c => escaped(c.encode_utf8(&mut [0; 4])),
        };
        self.add(&text);
        Ok(())
    }

    fn back_reference(&mut self, first: char) -> String {
        // A reference stands alone, so that a digit after it stays a digit.
        format!("(?:\\{first})")
    }

    fn code(&mut self, digits: usize) -> Result<String, Refusal> {
        let text: String = self.rest.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&text, 16).map_err(|_| Refusal::Java)?;
        if text.len() != digits {
            return Err(Refusal::Java);
        }
        if char::from_u32(code).is_none() {
            return Err(Refusal::Ours("half a surrogate pair"));
        }
        Ok(format!(r"\x{{{code:x}}}"))
    }

    /// After `\p` or `\P`.
    fn property(&mut self, negated: bool) -> Result<String, Refusal> {
        let name: String = match self.rest.next().ok_or(Refusal::Java)? {
            '{' => {
                let name = std::iter::from_fn(|| self.rest.next_if(|c| *c != '}')).collect();
                self.rest.next();
                name
            }
            c => c.to_string(),
        };
        let posix = match name.as_str() {
            "Lower" => "a-z",
            "Upper" => "A-Z",
            "ASCII" => r"\x00-\x7F",
            "Alpha" => "a-zA-Z",
            "Digit" => "0-9",
            "Alnum" => "a-zA-Z0-9",
            "Punct" => r"!-/:-@\[-`{-~",
            "Graph" => "!-~",
            "Print" => r"\x20-~",
            "Blank" => r" \t",
            "Cntrl" => r"\x00-\x1F\x7F",
            "XDigit" => "0-9a-fA-F",
            "Space" => r" \t\n\x0B\f\r",
            _ => "",
        };
        if !posix.is_empty() {
            return Ok(format!("[{}{posix}]", if negated { "^" } else { "" }));
        }
        let ours = match name.as_str() {
            "javaLowerCase" | "IsLowercase" => "Lowercase",
            "javaUpperCase" | "IsUppercase" => "Uppercase",
            "javaLetter" => "L",
            "javaDigit" | "IsDigit" => "Nd",
            "IsAlphabetic" => "Alphabetic",
            "IsLetter" => "L",
            "IsPunctuation" => "P",
            "IsControl" => "Cc",
            "IsWhite_Space" | "IsWhiteSpace" => "White_Space",
            other if other.starts_with("In") || other.starts_with("java") || other.contains('=') => {
                return Err(Refusal::Ours("this \\p{...}"));
            }
            other => other.strip_prefix("Is").unwrap_or(other),
        };
        Ok(format!("\\{}{{{ours}}}", if negated { 'P' } else { 'p' }))
    }
}

/// Characters that mean themselves.
fn escaped(text: &str) -> String {
    let mut to = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() || c == ' ' {
            to.push('\\');
        }
        to.push(c);
    }
    to
}
