//! The table of requests: the command and the attributes of each.

use super::attribute::{Length, Sink, Writer};
use super::{config, daemon, server, service};
use crate::model::{Change, ServiceKey};
use netlink_packet_core::Emitable;
use netlink_packet_generic::{GenlFamily, GenlMessage};

const IPVS_GENL_NAME: &str = "IPVS";
const IPVS_GENL_VERSION: u8 = 1;

const IPVS_CMD_NEW_SERVICE: u8 = 1;
const IPVS_CMD_SET_SERVICE: u8 = 2;
const IPVS_CMD_DEL_SERVICE: u8 = 3;
const IPVS_CMD_GET_SERVICE: u8 = 4;
const IPVS_CMD_NEW_DEST: u8 = 5;
const IPVS_CMD_SET_DEST: u8 = 6;
const IPVS_CMD_DEL_DEST: u8 = 7;
const IPVS_CMD_GET_DEST: u8 = 8;
const IPVS_CMD_NEW_DAEMON: u8 = 9;
const IPVS_CMD_DEL_DAEMON: u8 = 10;
const IPVS_CMD_GET_DAEMON: u8 = 11;
const IPVS_CMD_SET_CONFIG: u8 = 12;
const IPVS_CMD_GET_CONFIG: u8 = 13;
// 14 is IPVS_CMD_SET_INFO, which only replies have.
const IPVS_CMD_GET_INFO: u8 = 15;
const IPVS_CMD_ZERO: u8 = 16;
const IPVS_CMD_FLUSH: u8 = 17;

/// Everything that can be asked of the family `IPVS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Alter the table; answered by an error or, when asked for, an ACK.
    Change(Change),
    /// All services, a message each.
    Services,
    /// One service.
    Service(ServiceKey),
    /// All servers of a service, a message each; none if there is no such
    /// service, which the kernel does not treat as an error.
    Servers(ServiceKey),
    /// The running daemons, a message each.
    Daemons,
    /// The session time-outs.
    Timeouts,
    /// The version and the size of the connection table.
    Info,
}

impl Request {
    /// The message to the family `IPVS`, which has this number.
    pub fn message(self, family: u16) -> GenlMessage<Request> {
        let mut message = GenlMessage::from_payload(self);
        message.set_resolved_family_id(family);
        message
    }

    fn fill(&self, out: &mut impl Sink) {
        match self {
            Request::Change(change) => fill_change(change, out),
            Request::Service(key) | Request::Servers(key) => service::emit(key, None, out),
            Request::Services | Request::Daemons | Request::Timeouts | Request::Info => {}
        }
    }
}

impl Emitable for Request {
    fn buffer_len(&self) -> usize {
        let mut length = Length::default();
        self.fill(&mut length);
        length.0
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.fill(&mut Writer::new(buffer));
    }
}

fn fill_change(change: &Change, out: &mut impl Sink) {
    match change {
        Change::AddService(key, config) | Change::EditService(key, config) => {
            service::emit(key, Some(config), out);
        }
        Change::DeleteService(key) | Change::Zero(Some(key)) => service::emit(key, None, out),
        Change::AddServer(service, key, config) | Change::EditServer(service, key, config) => {
            service::emit(service, None, out);
            server::emit(key, Some(config), out);
        }
        Change::DeleteServer(service, key) => {
            service::emit(service, None, out);
            server::emit(key, None, out);
        }
        Change::SetTimeouts(timeouts) => config::emit_timeouts(timeouts, out),
        Change::StartDaemon(daemon) => daemon::emit_start(daemon, out),
        Change::StopDaemon(daemon) => daemon::emit_stop(daemon, out),
        Change::Flush | Change::Zero(None) => {}
    }
}

impl GenlFamily for Request {
    fn family_name() -> &'static str {
        IPVS_GENL_NAME
    }

    fn command(&self) -> u8 {
        match self {
            Request::Change(change) => change_command(change),
            Request::Services | Request::Service(_) => IPVS_CMD_GET_SERVICE,
            Request::Servers(_) => IPVS_CMD_GET_DEST,
            Request::Daemons => IPVS_CMD_GET_DAEMON,
            Request::Timeouts => IPVS_CMD_GET_CONFIG,
            Request::Info => IPVS_CMD_GET_INFO,
        }
    }

    fn version(&self) -> u8 {
        IPVS_GENL_VERSION
    }
}

fn change_command(change: &Change) -> u8 {
    match change {
        Change::AddService(..) => IPVS_CMD_NEW_SERVICE,
        Change::EditService(..) => IPVS_CMD_SET_SERVICE,
        Change::DeleteService(..) => IPVS_CMD_DEL_SERVICE,
        Change::AddServer(..) => IPVS_CMD_NEW_DEST,
        Change::EditServer(..) => IPVS_CMD_SET_DEST,
        Change::DeleteServer(..) => IPVS_CMD_DEL_DEST,
        Change::StartDaemon(..) => IPVS_CMD_NEW_DAEMON,
        Change::StopDaemon(..) => IPVS_CMD_DEL_DAEMON,
        Change::SetTimeouts(..) => IPVS_CMD_SET_CONFIG,
        Change::Zero(..) => IPVS_CMD_ZERO,
        Change::Flush => IPVS_CMD_FLUSH,
    }
}
