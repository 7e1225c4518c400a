//! Spark's functions of the group string.

mod change;
mod charset;
mod cut;
mod decode;
pub(crate) mod digits;
mod java_pattern;
pub(crate) mod java_regex;
mod like;
mod measure;
mod number_text;
mod printf;
mod regex;
mod rules;
mod search;
mod sentences;

pub(crate) use charset::{in_lines as base64_in_lines, unbase64};
pub(crate) use regex::lists;

use crate::checks::{In, defaults, plain, scalar, text};
use crate::{Call, DataType, Function, Group, Kernel, Result, Typed};

/// The kernels of this group, file by file.
pub(crate) const KERNELS: &[&[&Kernel]] = &[
    change::KERNELS,
    charset::KERNELS,
    cut::KERNELS,
    like::KERNELS,
    measure::KERNELS,
    number_text::KERNELS,
    printf::KERNELS,
    regex::KERNELS,
    search::KERNELS,
    sentences::KERNELS,
];

const fn row(name: &'static str, usage: &'static str, resolve: fn(Call<'_>) -> Result<Typed>) -> Function {
    scalar(name, Group::String, usage, resolve)
}

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    row("ascii", "ascii(str) - The number of the first character of str.", |call| {
        plain(call, &measure::ASCII, &[In::Text], DataType::Int)
    }),
    row("base64", "base64(bin) - bin as base64 text.", |call| {
        plain(call, &charset::BASE64, &[In::Binary], DataType::String)
    }),
    row("bit_length", "bit_length(expr) - The bits of a string or of binary data.", |call| {
        rules::length(call, &measure::BIT_LENGTH)
    }),
    row("btrim", "btrim(str[, chars]) - str without spaces, or these characters, at both ends.", rules::btrim),
    row("char", "char(n) - The character with the number n modulo 256.", |call| {
        plain(call, &change::CHR, &[In::Long], DataType::String)
    }),
    row("char_length", "char_length(expr) - The characters of a string, or the bytes of binary data.", |call| {
        rules::length(call, &measure::LENGTH)
    }),
    row(
        "character_length",
        "character_length(expr) - The characters of a string, or the bytes of binary data.",
        |call| rules::length(call, &measure::LENGTH),
    ),
    row("chr", "chr(n) - The character with the number n modulo 256.", |call| {
        plain(call, &change::CHR, &[In::Long], DataType::String)
    }),
    row(
        "concat_ws",
        "concat_ws(sep[, str | array]...) - The strings that are not NULL with sep between them.",
        rules::concat_ws,
    ),
    row("contains", "contains(left, right) - Whether right is found in left.", |call| {
        rules::pair(call, &search::CONTAINS)
    }),
    row(
        "decode",
        "decode(bin, charset) - The text that bin is in a charset; or decode(expr, search, result[, ...][, default]), the result of the first search that is equal.",
        rules::decode,
    ),
    row("elt", "elt(n, a, b, ...) - The n-th of the others.", rules::elt),
    row("encode", "encode(str, charset) - str as bytes in a charset.", |call| {
        plain(call, &charset::ENCODE, &[In::Text, In::Text], DataType::Binary)
    }),
    row("endswith", "endswith(left, right) - Whether left ends with right.", |call| {
        rules::pair(call, &search::ENDSWITH)
    }),
    row(
        "find_in_set",
        "find_in_set(str, list) - The place of str in a list with commas, from 1; 0 if it has none.",
        |call| plain(call, &search::FIND_IN_SET, &[In::Text, In::Text], DataType::Int),
    ),
    row(
        "format_number",
        "format_number(expr, d) - The number with commas, rounded to d places or as a pattern says.",
        rules::format_number,
    ),
    row("format_string", "format_string(format, obj, ...) - A text in the manner of printf.", rules::format_string),
    row("ilike", "str ilike pattern[ ESCAPE escape] - Whether str is like the pattern, in any case.", |call| {
        rules::like(call, true)
    }),
    row("initcap", "initcap(str) - str with each word's first letter large and all others small.", |call| {
        plain(call, &change::INITCAP, &[In::Text], DataType::String)
    }),
    row("instr", "instr(str, part) - The first place of part in str, from 1; 0 if it has none.", |call| {
        plain(call, &search::INSTR, &[In::Text, In::Text], DataType::Int)
    }),
    row("lcase", "lcase(str) - str in small letters.", |call| {
        plain(call, &change::LOWER, &[In::Text], DataType::String)
    }),
    row("left", "left(str, n) - The first n characters.", rules::left),
    row("len", "len(expr) - The characters of a string, or the bytes of binary data.", |call| {
        rules::length(call, &measure::LENGTH)
    }),
    row("length", "length(expr) - The characters of a string, or the bytes of binary data.", |call| {
        rules::length(call, &measure::LENGTH)
    }),
    row(
        "levenshtein",
        "levenshtein(a, b[, most]) - The edits from a to b; -1 if they are more than most.",
        rules::levenshtein,
    ),
    row("like", "str like pattern[ ESCAPE escape] - Whether str is like the pattern.", |call| rules::like(call, false)),
    row(
        "locate",
        "locate(part, str[, from]) - The first place of part in str at or after from; 0 if it has none.",
        rules::locate,
    ),
    row("lower", "lower(str) - str in small letters.", |call| {
        plain(call, &change::LOWER, &[In::Text], DataType::String)
    }),
    row("lpad", "lpad(str, len[, pad]) - str filled up or cut to len, filled on the left.", |call| {
        rules::pad(call, &cut::LPAD)
    }),
    row("ltrim", "ltrim(str) - str without spaces at its beginning.", |call| rules::trim(call, &cut::LTRIM, "LEADING")),
    row("luhn_check", "luhn_check(str) - Whether the digits pass Luhn's check.", |call| {
        plain(call, &change::LUHN_CHECK, &[In::Text], DataType::Boolean)
    }),
    row(
        "mask",
        "mask(str[, upper[, lower[, digit[, other]]]]) - str with each kind of character replaced.",
        rules::mask,
    ),
    row("octet_length", "octet_length(expr) - The bytes of a string or of binary data.", |call| {
        rules::length(call, &measure::OCTET_LENGTH)
    }),
    row("overlay", "overlay(str, by, pos[, len]) - str with len characters from pos replaced.", rules::overlay),
    row(
        "position",
        "position(part, str[, from]) - The first place of part in str at or after from; 0 if it has none.",
        rules::locate,
    ),
    row("printf", "printf(format, obj, ...) - A text in the manner of printf.", rules::format_string),
    row("regexp", "regexp(str, regexp) - Whether the pattern is found in str.", |call| {
        rules::rlike(call, &regex::REGEXP)
    }),
    row("regexp_count", "regexp_count(str, regexp) - How often the pattern is found.", |call| {
        plain(call, &regex::COUNT, &[In::Text, In::Text], DataType::Int)
    }),
    row("regexp_extract", "regexp_extract(str, regexp[, group]) - A group of the first match.", |call| {
        rules::extract(call, &regex::EXTRACT, 1, DataType::String)
    }),
    row("regexp_extract_all", "regexp_extract_all(str, regexp[, group]) - A group of every match.", |call| {
        rules::extract(call, &regex::EXTRACT_ALL, 1, DataType::Array(Box::new(DataType::String), true))
    }),
    row(
        "regexp_instr",
        "regexp_instr(str, regexp[, group]) - Where the first match begins, from 1; 0 if there is none.",
        |call| rules::extract(call, &regex::INSTR, 0, DataType::Int),
    ),
    row("regexp_like", "regexp_like(str, regexp) - Whether the pattern is found in str.", |call| {
        rules::rlike(call, &regex::REGEXP_LIKE)
    }),
    row(
        "regexp_replace",
        "regexp_replace(str, regexp, by[, from]) - str with every match replaced.",
        rules::regexp_replace,
    ),
    row("regexp_substr", "regexp_substr(str, regexp) - The first match.", |call| {
        plain(call, &regex::SUBSTR, &[In::Text, In::Text], DataType::String)
    }),
    row("repeat", "repeat(str, n) - str n times.", |call| {
        plain(call, &cut::REPEAT, &[In::Text, In::Int], DataType::String)
    }),
    row("replace", "replace(str, part[, by]) - str with every part replaced.", |call| {
        let mut call = call;
        defaults(&mut call, 2, &[text("")])?;
        plain(call, &change::REPLACE, &[In::Text, In::Text, In::Text], DataType::String)
    }),
    row("right", "right(str, n) - The last n characters.", |call| {
        plain(call, &cut::RIGHT, &[In::Text, In::Int], DataType::String)
    }),
    row("rlike", "rlike(str, regexp) - Whether the pattern is found in str.", |call| rules::rlike(call, &regex::RLIKE)),
    row("rpad", "rpad(str, len[, pad]) - str filled up or cut to len, filled on the right.", |call| {
        rules::pad(call, &cut::RPAD)
    }),
    row("rtrim", "rtrim(str) - str without spaces at its end.", |call| rules::trim(call, &cut::RTRIM, "TRAILING")),
    row("sentences", "sentences(str[, lang[, country]]) - The words of each sentence.", rules::sentences),
    row("soundex", "soundex(str) - The Soundex code.", |call| {
        plain(call, &measure::SOUNDEX, &[In::Text], DataType::String)
    }),
    row("space", "space(n) - n spaces.", |call| plain(call, &cut::SPACE, &[In::Int], DataType::String)),
    row("split", "split(str, regexp[, limit]) - The parts between matches, at most limit.", |call| {
        rules::extract(call, &regex::SPLIT, -1, DataType::Array(Box::new(DataType::String), false))
    }),
    row(
        "split_part",
        "split_part(str, sep, n) - The n-th part between separators, from the end if negative.",
        |call| plain(call, &cut::SPLIT_PART, &[In::Text, In::Text, In::Int], DataType::String),
    ),
    row("startswith", "startswith(left, right) - Whether left begins with right.", |call| {
        rules::pair(call, &search::STARTSWITH)
    }),
    row("substr", "substr(str, pos[, len]) - len characters from pos.", rules::substring),
    row("substring", "substring(str, pos[, len]) - len characters from pos.", rules::substring),
    row(
        "substring_index",
        "substring_index(str, sep, n) - What is before the n-th separator, or after it counted from the end.",
        |call| plain(call, &cut::SUBSTRING_INDEX, &[In::Text, In::Text, In::Int], DataType::String),
    ),
    row("translate", "translate(str, from, to) - str with characters replaced by those at the same place.", |call| {
        plain(call, &change::TRANSLATE, &[In::Text, In::Text, In::Text], DataType::String)
    }),
    row("trim", "trim(str) - str without spaces at both ends.", |call| rules::trim(call, &cut::TRIM, "BOTH")),
    row("ucase", "ucase(str) - str in large letters.", |call| {
        plain(call, &change::UPPER, &[In::Text], DataType::String)
    }),
    row("unbase64", "unbase64(str) - The bytes that str is in base64.", |call| {
        plain(call, &charset::UNBASE64, &[In::Text], DataType::Binary)
    }),
    row("upper", "upper(str) - str in large letters.", |call| {
        plain(call, &change::UPPER, &[In::Text], DataType::String)
    }),
];
