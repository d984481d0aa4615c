//! Which known word is most like one that is not known.

/// How alike two words must be for one to be meant by the other (Jaro-Winkler; 1
/// is equal).
const NEAR: f64 = 0.6;

/// The one of the `known` words that was probably meant by `word`, in upper or
/// lower case.
pub fn near<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    nearest(word, known, NEAR)
}

/// The same, if they are more alike than `least`.
pub fn nearest<'a>(word: &str, known: &[&'a str], least: f64) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&known.to_ascii_lowercase(), &word);
    known
        .iter()
        .map(|known| (likeness(known), *known))
        .filter(|(likeness, _)| *likeness > least)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
