//! Root certificates that an operator trusts beside those of the system: reads their PEM file, within bounds. It does
//! not know who trusts them, nor any client's type for a certificate.

use std::path::Path;

/// Largest file of root certificates, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The bytes of that file.
///
/// # Errors
/// Why it is of no use, in a few words.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err("not a file of at most 4 MiB".to_owned());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
