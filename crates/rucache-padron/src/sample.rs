//! The sample register that comes with the crate.

use crate::error::Error;
use crate::file::RegisterFile;
use crate::register::Register;

/// The sample's name in errors.
const NAME: &str = "padron_muestra.zip (bundled)";

/// The sample as a file: what [`Generator::sample`](crate::Generator::sample) wrote.
pub const SAMPLE_ZIP: &[u8] = include_bytes!("../sample/padron_muestra.zip");

/// Loads the bundled sample: 3,000 legal entities, invented but for a few public institutions
/// under their real number and name (SUNAT 20131312955 …). No natural person is in it.
///
/// Its coverage is [`Partial`](rucache_ruc::Coverage::Partial): that a number is not in it says
/// nothing.
///
/// # Errors
///
/// None, unless memory runs out.
pub fn sample() -> Result<Register, Error> {
    Register::from_file(RegisterFile::from_bytes(NAME, SAMPLE_ZIP)?)
}
