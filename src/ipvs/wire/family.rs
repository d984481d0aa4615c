//! Asking the generic netlink controller for the number of a family.
//!
//! The reply lists operations, policies and groups as well, and newer kernels
//! add to them: nothing but the number is read, so that none of it can matter.

use super::attribute::{Length, Sink, Writer, find, u16_of};
use netlink_packet_core::Emitable;
use netlink_packet_generic::GenlFamily;
use netlink_packet_generic::constants::GENL_ID_CTRL;

const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// Asks for the number of the family with this name (at most 15 bytes). The
/// kernel loads the module that has it, if it can.
#[derive(Clone, Copy, Debug)]
pub struct FamilyRequest(pub &'static str);

impl FamilyRequest {
    fn fill(&self, out: &mut impl Sink) {
        out.put_text(CTRL_ATTR_FAMILY_NAME, self.0.as_bytes());
    }
}

impl Emitable for FamilyRequest {
    fn buffer_len(&self) -> usize {
        let mut length = Length::default();
        self.fill(&mut length);
        length.0
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.fill(&mut Writer::new(buffer));
    }
}

impl GenlFamily for FamilyRequest {
    fn family_name() -> &'static str {
        "nlctrl"
    }

    fn family_id(&self) -> u16 {
        GENL_ID_CTRL
    }

    fn command(&self) -> u8 {
        CTRL_CMD_GETFAMILY
    }

    fn version(&self) -> u8 {
        1
    }
}

/// The family's number in the attributes of the controller's reply.
pub fn parse_family(attributes_of_reply: &[u8]) -> Option<u16> {
    find(attributes_of_reply, CTRL_ATTR_FAMILY_ID).and_then(u16_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_among_unknown_attributes() {
        let mut bytes = vec![];
        bytes.extend([9u16, 4242].map(u16::to_ne_bytes).concat());
        bytes.extend([1, 2, 3, 4, 5, 0, 0, 0]);
        bytes.extend(
            [6u16, CTRL_ATTR_FAMILY_ID, 31]
                .map(u16::to_ne_bytes)
                .concat(),
        );
        assert_eq!(parse_family(&bytes), Some(31));
        assert_eq!(parse_family(&bytes[..14]), None);
        assert_eq!(parse_family(&[]), None);
    }
}
