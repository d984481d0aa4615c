//! Allocations that fail: breakpoints on the C library's functions that allocate,
//! which all programs use that are linked with it.

use nix::libc::{c_long, c_void, user_regs_struct};
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;

/// int3.
const BREAKPOINT: u8 = 0xcc;
const PAGE: u64 = 4096;

/// Those that give back a pointer, or none.
const FUNCTIONS: &[&str] = &["malloc", "calloc", "realloc", "aligned_alloc"];

/// The functions by their addresses, with their first byte.
pub struct Breakpoints(BTreeMap<u64, u8>);

impl Breakpoints {
    /// Sets them in a process, if the C library is in its memory.
    pub fn set(pid: Pid) -> Option<Breakpoints> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
        let line = maps.lines().find(|line| line.ends_with("/libc.so.6"))?;
        let base = u64::from_str_radix(line.split('-').next()?, 16).ok()?;
        let library = fs::read(line.split_whitespace().last()?).ok()?;
        let mut points = Breakpoints(BTreeMap::new());
        for offset in symbols(&library, FUNCTIONS)? {
            let byte = poke(pid, base + offset, BREAKPOINT)?;
            points.0.insert(base + offset, byte);
        }
        assert_eq!(points.0.len(), FUNCTIONS.len(), "functions that allocate");
        Some(points)
    }

    /// Takes them out of a process that goes on without them.
    pub fn remove(&self, pid: Pid) {
        for (&at, &byte) in &self.0 {
            poke(pid, at, byte);
        }
    }

    /// The registers of a process that has met one of them, as they were before.
    pub fn met(&self, pid: Pid) -> Option<user_regs_struct> {
        let mut regs = ptrace::getregs(pid).ok()?;
        regs.rip -= 1;
        self.0.contains_key(&regs.rip).then_some(regs)
    }

    /// Carries out the instruction that the breakpoint stands for.
    pub fn step_over(&self, pid: Pid, regs: user_regs_struct) -> Option<()> {
        let at = regs.rip;
        poke(pid, at, self.0[&at])?;
        ptrace::setregs(pid, regs).ok()?;
        ptrace::step(pid, None).ok()?;
        waitpid(pid, Some(WaitPidFlag::__WALL)).ok()?;
        poke(pid, at, BREAKPOINT)?;
        Some(())
    }
}

/// Lets the function that begins return a null pointer.
pub fn fail(pid: Pid, mut regs: user_regs_struct) -> Option<()> {
    let caller = ptrace::read(pid, address(regs.rsp)).ok()?;
    regs.rip = caller as u64;
    regs.rsp += 8;
    regs.rax = 0;
    ptrace::setregs(pid, regs).ok()
}

fn address(number: u64) -> *mut c_void {
    number as *mut c_void
}

/// Puts a byte in another's place, which it gives back.
fn poke(pid: Pid, at: u64, byte: u8) -> Option<u8> {
    let word: c_long = ptrace::read(pid, address(at)).ok()?;
    let mut bytes = word.to_ne_bytes();
    let old = std::mem::replace(&mut bytes[0], byte);
    ptrace::write(pid, address(at), c_long::from_ne_bytes(bytes)).ok()?;
    Some(old)
}

/// Where a library has its functions of these names: what its table of dynamic
/// symbols says.
fn symbols(library: &[u8], names: &[&str]) -> Option<Vec<u64>> {
    const DYNSYM: u32 = 11;
    const FUNCTION: u8 = 2;
    let u16_at = |at: usize| Some(u16::from_ne_bytes(*library.get(at..)?.first_chunk()?));
    let u32_at = |at: usize| Some(u32::from_ne_bytes(*library.get(at..)?.first_chunk()?));
    let u64_at = |at: usize| Some(u64::from_ne_bytes(*library.get(at..)?.first_chunk()?));
    let (sections, size, count) = (u64_at(40)? as usize, u16_at(58)?, u16_at(60)?);
    let section = |number: usize| sections + number * usize::from(size);
    let dynsym = (0..usize::from(count))
        .map(section)
        .find(|&at| u32_at(at + 4) == Some(DYNSYM))?;
    let strings = u64_at(section(u32_at(dynsym + 40)? as usize) + 24)? as usize;
    let (from, len) = (u64_at(dynsym + 24)? as usize, u64_at(dynsym + 32)? as usize);
    let mut found = Vec::new();
    for at in (from..from + len).step_by(24) {
        let name = library.get(strings + u32_at(at)? as usize..)?;
        let name = name.split(|byte| *byte == 0).next()?;
        let is_function = library.get(at + 4)? & 0xf == FUNCTION;
        if is_function && names.iter().any(|wanted| wanted.as_bytes() == name) {
            found.push(u64_at(at + 8)?);
        }
    }
    // A library is mapped from its first page on.
    found.iter().all(|offset| *offset > PAGE).then_some(found)
}
