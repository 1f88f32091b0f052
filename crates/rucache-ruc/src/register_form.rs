//! The register's short form of a vocabulary term, in which all spellings of it meet.

/// Length of a term in the register, in characters.
const REGISTER_LEN: usize = 20;

/// Trims, folds to upper case without accents, and cuts to the register's 20 characters.
pub(crate) fn register_form(text: &str) -> String {
    let mut form = String::with_capacity(REGISTER_LEN);
    let letters = text.trim().chars().flat_map(char::to_uppercase).map(without_accent);
    form.extend(letters.take(REGISTER_LEN));
    form.truncate(form.trim_end().len());
    form
}

/// The register form of a long form that is upper-case ASCII already.
pub(crate) fn cut(long: &'static str) -> &'static str {
    long.get(..REGISTER_LEN).unwrap_or(long).trim_end()
}

/// The letters that Spanish writes with a mark; others stand as they are.
fn without_accent(letter: char) -> char {
    match letter {
        'Á' | 'À' | 'Â' | 'Ä' | 'Ã' => 'A',
        'É' | 'È' | 'Ê' | 'Ë' => 'E',
        'Í' | 'Ì' | 'Î' | 'Ï' => 'I',
        'Ó' | 'Ò' | 'Ô' | 'Ö' | 'Õ' => 'O',
        'Ú' | 'Ù' | 'Û' | 'Ü' => 'U',
        'Ñ' => 'N',
        'Ç' => 'C',
        other => other,
    }
}
