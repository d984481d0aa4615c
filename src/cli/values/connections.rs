//! The values of `--state` and `--by`: which connections are meant, and what they
//! are counted by.

use super::{Reason, illegal, plain};
use crate::cli::error::UsageError;
use crate::connections::{Key, Keys, Origin, OriginSet, StateSet};

/// Some states, with commas between them.
pub fn states(input: &[u8]) -> Result<StateSet, UsageError> {
    let mut states = StateSet::default();
    for name in input.split(|byte| *byte == b',') {
        if !states.insert(name) {
            return Err(UsageError::UnknownState(name.into()));
        }
    }
    Ok(states)
}

/// Some of those who make connections, with commas between them.
pub fn origins(input: &[u8]) -> Result<OriginSet, UsageError> {
    let mut origins = OriginSet::default();
    for name in input.split(|byte| *byte == b',') {
        let names = || Reason::OneOf(Origin::ALL.map(Origin::name).into());
        let origin = Origin::named(name).ok_or_else(|| illegal("origin", name, names()))?;
        origins.insert(origin);
    }
    Ok(origins)
}

/// Some of what connections are counted by, with commas between them.
pub fn keys(input: &[u8]) -> Result<Keys, UsageError> {
    let mut keys = Keys::default();
    for word in input.split(|byte| *byte == b',') {
        let key = match word.strip_prefix(b"client/") {
            Some(length) => match plain(length) {
                Some((length, [])) => match u8::try_from(length) {
                    Ok(length @ 0..=128) => Key::Client(Some(length)),
                    _ => return Err(UsageError::LongPrefix(word.into())),
                },
                _ => return Err(UsageError::UnknownKey(word.into())),
            },
            None => Key::ALL
                .into_iter()
                .find(|key| key.name().as_bytes() == word)
                .ok_or_else(|| UsageError::UnknownKey(word.into()))?,
        };
        if !keys.insert(key) {
            return Err(UsageError::RepeatedKey(key));
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_states_and_keys() {
        let error = |text: &str| states(text.as_bytes()).map_err(|e| e.to_string()).err();
        assert_eq!(error("established,SYN_RECV"), None);
        assert_eq!(
            error("udp,estab").unwrap(),
            "unknown connection state `estab'"
        );
        assert_eq!(error("").unwrap(), "unknown connection state `'");
        let parse = |text: &str| {
            let keys = keys(text.as_bytes()).map_err(|e| e.to_string())?;
            Ok::<_, String>(keys.iter().collect::<Vec<_>>())
        };
        assert_eq!(
            parse("state,client/24").unwrap(),
            [Key::State, Key::Client(Some(24))]
        );
        assert_eq!(
            parse("client,service,server,protocol,state").unwrap().len(),
            5
        );
        for (text, said) in [
            ("", "--by cannot count by `'"),
            ("state,", "--by cannot count by `'"),
            ("stat", "--by cannot count by `stat'"),
            ("client/", "--by cannot count by `client/'"),
            ("client/x", "--by cannot count by `client/x'"),
            ("server/24", "--by cannot count by `server/24'"),
            (
                "client/129",
                "the prefix of `client/129' is longer than an address",
            ),
            ("state,state", "--by has the key 'state' twice"),
            ("client,client/24", "--by has the key 'client' twice"),
        ] {
            assert_eq!(parse(text), Err(said.into()), "{text}");
        }
    }
}
