//! Values: at their bounds, inside, outside, malformed.

use crate::suite::{Cases, Group};

pub fn groups() -> Vec<Group> {
    vec![Group {
        name: "values::numbers",
        cases: numbers,
    }]
}

const SERVICE: &str = "-A -t 10.0.0.1:80 -s rr\n";

fn numbers(cases: &mut Cases) {
    cases.given(SERVICE);
    for option in ["-w", "-x", "-y"] {
        for value in [
            "0",
            "1",
            "'-1'",
            "2147483647",
            "2147483648",
            "' 5'",
            "'5 '",
            "0x10",
            "''",
        ] {
            cases.same(format!("-a -t 10.0.0.1:80 -r 10.0.0.2 -m {option} {value}"));
        }
    }
}
