//! AES in the modes GCM (with its vector before and its tag behind the text), CBC (with its vector before) and ECB.

use std::sync::Arc;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{AesGcm, Nonce};
use arrow::array::{Array, AsArray, BinaryBuilder};
use datafusion::common::Result as DataFusionResult;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use crate::coercion::{Expected, implicit_cast};
use crate::groups::scalar::{between, call_name};
use crate::{Arguments, Call, DataType, Error, Kernel, Result, SparkUdf, Typed};

static ENCRYPT: Kernel = Kernel { name: "spark_aes_encrypt", volatile: true, run: |a| run(a, Direction::Encrypt) };
static DECRYPT: Kernel = Kernel { name: "spark_aes_decrypt", volatile: false, run: |a| run(a, Direction::Decrypt) };
static TRY_DECRYPT: Kernel =
    Kernel { name: "spark_try_aes_decrypt", volatile: false, run: |a| run(a, Direction::TryDecrypt) };

const GCM_VECTOR: usize = 12;
const CBC_VECTOR: usize = 16;

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Encrypt,
    Decrypt,
    TryDecrypt,
}

/// `aes_encrypt(expr, key[, mode[, padding[, iv[, aad]]]])`
pub(super) fn encrypt(mut call: Call<'_>) -> Result<Typed> {
    between(&mut call, 2, 6)?;
    resolve(call, &ENCRYPT, 6)
}

/// `aes_decrypt(expr, key[, mode[, padding[, aad]]])`
pub(super) fn decrypt(mut call: Call<'_>, tries: bool) -> Result<Typed> {
    between(&mut call, 2, 5)?;
    resolve(call, if tries { &TRY_DECRYPT } else { &DECRYPT }, 5)
}

fn resolve(mut call: Call<'_>, kernel: &'static Kernel, count: usize) -> Result<Typed> {
    let text = |text: &str| Typed::literal(ScalarValue::Utf8(Some(text.to_owned())), DataType::String, text);
    for default in ["GCM", "DEFAULT", "", ""].iter().skip(call.arguments.len() - 2) {
        if call.arguments.len() < count {
            call.arguments.push(text(default));
        }
    }
    let name = call_name(call.name, &call.arguments);
    let types =
        [DataType::Binary, DataType::Binary, DataType::String, DataType::String, DataType::Binary, DataType::Binary];
    let arguments = call
        .arguments
        .into_iter()
        .zip(types)
        .enumerate()
        .map(|(at, (argument, of))| implicit_cast(argument, &Expected::Type(of), at + 1, &name, call.settings))
        .collect::<Result<Vec<_>>>()?;
    Ok(SparkUdf::call(kernel, call.settings, arguments, DataType::Binary, true, name))
}

fn run(arguments: &Arguments<'_>, direction: Direction) -> DataFusionResult<ColumnarValue> {
    let columns = (0..arguments.values.len()).map(|at| arguments.array(at)).collect::<DataFusionResult<Vec<_>>>()?;
    let mut builder = BinaryBuilder::new();
    for row in 0..arguments.rows {
        if columns.iter().any(|column| column.is_null(row)) {
            builder.append_null();
            continue;
        }
        let bytes = |at: usize| columns.get(at).map_or(&[][..], |column| column.as_binary::<i32>().value(row));
        let text = |at: usize| columns.get(at).map_or("", |column| column.as_string::<i32>().value(row));
        let (vector, extra) = if direction == Direction::Encrypt { (bytes(4), bytes(5)) } else { (&[][..], bytes(4)) };
        let cipher = Cipher { key: bytes(1), vector, extra };
        let result = cipher.apply(bytes(0), text(2), text(3), direction == Direction::Encrypt);
        match result {
            Ok(value) => builder.append_value(value),
            Err(_) if direction == Direction::TryDecrypt => builder.append_null(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ColumnarValue::Array(Arc::new(builder.finish())))
}

struct Cipher<'a> {
    key: &'a [u8],
    vector: &'a [u8],
    extra: &'a [u8],
}

impl Cipher<'_> {
    fn apply(&self, input: &[u8], mode: &str, padding: &str, encrypts: bool) -> Result<Vec<u8>> {
        if !matches!(self.key.len(), 16 | 24 | 32) {
            return Err(invalid(
                "AES_KEY_LENGTH",
                "`key`",
                format!("expects a binary value with 16, 24 or 32 bytes, but got {} bytes.", self.key.len()),
            ));
        }
        let (mode, padding) = (mode.to_uppercase(), padding.to_uppercase());
        match (mode.as_str(), padding.as_str()) {
            ("GCM", "NONE" | "DEFAULT") if encrypts => self.gcm_encrypt(input),
            ("GCM", "NONE" | "DEFAULT") => self.gcm_decrypt(input),
            ("CBC", "PKCS" | "DEFAULT") => {
                self.no_extra("CBC")?;
                if encrypts { self.cbc_encrypt(input) } else { self.cbc_decrypt(input) }
            }
            ("ECB", "PKCS" | "DEFAULT") => {
                self.no_extra("ECB")?;
                if !self.vector.is_empty() {
                    return Err(unsupported(
                        "AES_MODE_IV",
                        "`aes_encrypt` with ECB does not support initialization vectors (IVs).",
                    ));
                }
                self.ecb(input, encrypts)
            }
            (mode, padding) => Err(unsupported(
                "AES_MODE",
                &format!("AES-{mode} with the padding {padding} by the `aes_encrypt`/`aes_decrypt` function."),
            )),
        }
    }

    fn no_extra(&self, mode: &str) -> Result<()> {
        if self.extra.is_empty() {
            return Ok(());
        }
        Err(unsupported(
            "AES_MODE_AAD",
            &format!("`aes_encrypt`/`aes_decrypt` with {mode} does not support additional authenticate data (AAD)."),
        ))
    }

    /// The vector that was given, or a random one.
    fn own_vector(&self, length: usize, mode: &str) -> Result<Vec<u8>> {
        if self.vector.is_empty() {
            // Of the operating system's generator, by way of a random identifier's bytes.
            let random = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
            let mixed: Vec<u8> =
                random.iter().zip(random.iter().rev()).map(|(one, two)| one ^ two.rotate_left(3)).collect();
            return Ok(mixed.into_iter().take(length).collect());
        }
        if self.vector.len() != length {
            return Err(invalid(
                "AES_IV_LENGTH",
                "`mode`",
                format!(
                    "supports 16-byte CBC IVs and 12-byte GCM IVs, but got {} bytes for {mode}.",
                    self.vector.len()
                ),
            ));
        }
        Ok(self.vector.to_vec())
    }

    fn gcm_encrypt(&self, input: &[u8]) -> Result<Vec<u8>> {
        let mut vector = self.own_vector(GCM_VECTOR, "GCM")?;
        let payload = Payload { msg: input, aad: self.extra };
        let nonce = <&Nonce<U12>>::try_from(vector.as_slice()).map_err(failed)?;
        let sealed = match self.key.len() {
            16 => AesGcm::<Aes128, U12>::new_from_slice(self.key).map_err(failed)?.encrypt(nonce, payload),
            24 => AesGcm::<Aes192, U12>::new_from_slice(self.key).map_err(failed)?.encrypt(nonce, payload),
            _ => AesGcm::<Aes256, U12>::new_from_slice(self.key).map_err(failed)?.encrypt(nonce, payload),
        };
        vector.extend(sealed.map_err(failed)?);
        Ok(vector)
    }

    fn gcm_decrypt(&self, input: &[u8]) -> Result<Vec<u8>> {
        let (vector, sealed) =
            input.split_at_checked(GCM_VECTOR).ok_or_else(|| failed("Wrong IV length: the input is too short"))?;
        let payload = Payload { msg: sealed, aad: self.extra };
        let nonce = <&Nonce<U12>>::try_from(vector).map_err(failed)?;
        let opened = match self.key.len() {
            16 => AesGcm::<Aes128, U12>::new_from_slice(self.key).map_err(failed)?.decrypt(nonce, payload),
            24 => AesGcm::<Aes192, U12>::new_from_slice(self.key).map_err(failed)?.decrypt(nonce, payload),
            _ => AesGcm::<Aes256, U12>::new_from_slice(self.key).map_err(failed)?.decrypt(nonce, payload),
        };
        opened.map_err(|_| failed("Tag mismatch!"))
    }

    fn cbc_encrypt(&self, input: &[u8]) -> Result<Vec<u8>> {
        let mut vector = self.own_vector(CBC_VECTOR, "CBC")?;
        let mut buffer = with_room(input);
        macro_rules! with {
            ($cipher:ty) => {
                cbc::Encryptor::<$cipher>::new_from_slices(self.key, &vector)
                    .map_err(failed)?
                    .encrypt_padded::<Pkcs7>(&mut buffer, input.len())
                    .map_err(failed)?
            };
        }
        let text = match self.key.len() {
            16 => with!(Aes128),
            24 => with!(Aes192),
            _ => with!(Aes256),
        };
        vector.extend(text);
        Ok(vector)
    }

    fn cbc_decrypt(&self, input: &[u8]) -> Result<Vec<u8>> {
        let (vector, text) =
            input.split_at_checked(CBC_VECTOR).ok_or_else(|| failed("Wrong IV length: must be 16 bytes long"))?;
        let mut buffer = text.to_vec();
        macro_rules! with {
            ($cipher:ty) => {
                cbc::Decryptor::<$cipher>::new_from_slices(self.key, vector)
                    .map_err(failed)?
                    .decrypt_padded::<Pkcs7>(&mut buffer)
                    .map_err(failed)?
                    .to_vec()
            };
        }
        Ok(match self.key.len() {
            16 => with!(Aes128),
            24 => with!(Aes192),
            _ => with!(Aes256),
        })
    }

    fn ecb(&self, input: &[u8], encrypts: bool) -> Result<Vec<u8>> {
        let mut buffer = if encrypts { with_room(input) } else { input.to_vec() };
        macro_rules! with {
            ($cipher:ty) => {
                if encrypts {
                    ecb::Encryptor::<$cipher>::new_from_slice(self.key)
                        .map_err(failed)?
                        .encrypt_padded::<Pkcs7>(&mut buffer, input.len())
                        .map_err(failed)?
                        .to_vec()
                } else {
                    ecb::Decryptor::<$cipher>::new_from_slice(self.key)
                        .map_err(failed)?
                        .decrypt_padded::<Pkcs7>(&mut buffer)
                        .map_err(failed)?
                        .to_vec()
                }
            };
        }
        Ok(match self.key.len() {
            16 => with!(Aes128),
            24 => with!(Aes192),
            _ => with!(Aes256),
        })
    }
}

/// The text with room for its padding.
fn with_room(input: &[u8]) -> Vec<u8> {
    [input, &[0; 16]].concat()
}

fn invalid(class: &str, parameter: &str, why: String) -> Error {
    Error::new(
        format!("INVALID_PARAMETER_VALUE.{class}"),
        format!("The value of parameter(s) {parameter} in `aes_encrypt`/`aes_decrypt` is invalid: {why}"),
    )
}

fn failed(why: impl std::fmt::Display) -> Error {
    invalid("AES_CRYPTO_ERROR", "`expr`, `key`", format!("detail message: {why}"))
}

fn unsupported(class: &str, what: &str) -> Error {
    Error::new(format!("UNSUPPORTED_FEATURE.{class}"), format!("The feature is not supported: {what}"))
}

/// The kernels here, by which an executor finds them.
pub(in crate::groups) const KERNELS: &[&Kernel] = &[&ENCRYPT, &DECRYPT, &TRY_DECRYPT];
