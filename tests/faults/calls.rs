//! System calls, and what can go wrong with each: one table.

use Kind::{Error, FromNowOn, Lost, Short};
use nix::errno::Errno::{self, *};
use nix::libc::{self, c_long};
use std::fmt::{self, Display, Formatter};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is not made, and ends with this error; close is made all the same.
    Error(Errno),
    /// The same, and every further one too.
    FromNowOn(Errno),
    /// It is made, what it received is thrown away, and it ends with ENOBUFS: what
    /// netlink says when it had no memory for an answer.
    Lost,
    /// It reads or writes one byte, or the first of several buffers.
    Short,
    /// The process is killed instead.
    Kill,
}

impl Kind {
    /// The error that a program is told of.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Kind::Error(errno) | Kind::FromNowOn(errno) => Some(errno),
            Kind::Lost => Some(ENOBUFS),
            Kind::Short | Kind::Kill => None,
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Kind::Error(errno) => write!(f, "{errno:?}"),
            Kind::FromNowOn(errno) => write!(f, "{errno:?}+"),
            Kind::Lost => f.write_str("lost"),
            Kind::Short => f.write_str("short"),
            Kind::Kill => f.write_str("KILL"),
        }
    }
}

/// A system call by its name, and the faults that it can have.
pub struct Call {
    pub number: c_long,
    pub name: &'static str,
    pub kinds: &'static [Kind],
}

/// The calls that are failed; EAGAIN only where the descriptor may be one that does
/// not block. A call that no table names fails the tests.
pub const CALLS: &[Call] = &[
    call(ALLOCATION, "malloc", &[Error(ENOMEM)]),
    call(
        libc::SYS_read,
        "read",
        &[Error(EIO), Error(EINTR), Error(EAGAIN), Short],
    ),
    call(
        libc::SYS_pread64,
        "pread64",
        &[Error(EIO), Error(EINTR), Short],
    ),
    call(
        libc::SYS_write,
        "write",
        &[
            Error(ENOSPC),
            Error(EIO),
            Error(EINTR),
            Error(EAGAIN),
            Short,
        ],
    ),
    call(
        libc::SYS_writev,
        "writev",
        &[
            Error(ENOSPC),
            Error(EIO),
            Error(EINTR),
            Error(EAGAIN),
            Short,
        ],
    ),
    call(
        libc::SYS_open,
        "open",
        &[Error(EMFILE), Error(ENOMEM), Error(EINTR)],
    ),
    call(
        libc::SYS_openat,
        "openat",
        &[Error(EMFILE), Error(ENOMEM), Error(EINTR)],
    ),
    call(libc::SYS_close, "close", &[Error(EIO), Error(EINTR)]),
    call(libc::SYS_access, "access", &[Error(EIO)]),
    call(libc::SYS_faccessat2, "faccessat2", &[Error(EIO)]),
    call(libc::SYS_stat, "stat", &[Error(ENOMEM), Error(EIO)]),
    call(libc::SYS_lstat, "lstat", &[Error(ENOMEM), Error(EIO)]),
    call(libc::SYS_fstat, "fstat", &[Error(ENOMEM), Error(EIO)]),
    call(
        libc::SYS_newfstatat,
        "newfstatat",
        &[Error(ENOMEM), Error(EIO)],
    ),
    call(libc::SYS_statx, "statx", &[Error(ENOMEM), Error(EIO)]),
    call(libc::SYS_readlink, "readlink", &[Error(ENOMEM), Error(EIO)]),
    call(
        libc::SYS_getdents64,
        "getdents64",
        &[Error(ENOMEM), Error(EIO)],
    ),
    call(libc::SYS_lseek, "lseek", &[Error(ESPIPE)]),
    call(libc::SYS_fcntl, "fcntl", &[Error(EMFILE)]),
    call(libc::SYS_ioctl, "ioctl", &[Error(EIO)]),
    call(libc::SYS_socket, "socket", &[Error(EMFILE), Error(ENOBUFS)]),
    call(
        libc::SYS_socketpair,
        "socketpair",
        &[Error(EMFILE), Error(ENOBUFS)],
    ),
    call(libc::SYS_bind, "bind", &[Error(ENOMEM)]),
    call(libc::SYS_connect, "connect", &[Error(ENOMEM), Error(EINTR)]),
    call(libc::SYS_setsockopt, "setsockopt", &[Error(ENOMEM)]),
    call(libc::SYS_getsockopt, "getsockopt", &[Error(ENOMEM)]),
    call(libc::SYS_getsockname, "getsockname", &[Error(ENOBUFS)]),
    call(
        libc::SYS_sendto,
        "sendto",
        &[Error(ENOBUFS), Error(ENOMEM), Error(EINTR)],
    ),
    call(
        libc::SYS_sendmsg,
        "sendmsg",
        &[Error(ENOBUFS), Error(ENOMEM), Error(EINTR)],
    ),
    call(
        libc::SYS_sendmmsg,
        "sendmmsg",
        &[Error(ENOBUFS), Error(ENOMEM), Error(EINTR)],
    ),
    call(
        libc::SYS_recvfrom,
        "recvfrom",
        &[
            Error(ENOMEM),
            Error(ENOBUFS),
            Error(EINTR),
            Error(EAGAIN),
            Lost,
            FromNowOn(ENOBUFS),
        ],
    ),
    call(
        libc::SYS_recvmsg,
        "recvmsg",
        &[
            Error(ENOMEM),
            Error(ENOBUFS),
            Error(EINTR),
            Error(EAGAIN),
            Lost,
            FromNowOn(ENOBUFS),
        ],
    ),
    call(libc::SYS_poll, "poll", &[Error(ENOMEM), Error(EINTR)]),
    call(libc::SYS_ppoll, "ppoll", &[Error(ENOMEM), Error(EINTR)]),
    call(libc::SYS_select, "select", &[Error(ENOMEM), Error(EINTR)]),
    call(
        libc::SYS_pselect6,
        "pselect6",
        &[Error(ENOMEM), Error(EINTR)],
    ),
    call(libc::SYS_epoll_create1, "epoll_create1", &[Error(EMFILE)]),
    call(libc::SYS_eventfd2, "eventfd2", &[Error(EMFILE)]),
    call(libc::SYS_pipe2, "pipe2", &[Error(EMFILE)]),
    call(libc::SYS_pipe, "pipe", &[Error(EMFILE)]),
    call(libc::SYS_dup, "dup", &[Error(EMFILE)]),
    call(
        libc::SYS_clock_nanosleep,
        "clock_nanosleep",
        &[Error(EINTR)],
    ),
    call(libc::SYS_mmap, "mmap", &[Error(ENOMEM)]),
    call(libc::SYS_mremap, "mremap", &[Error(ENOMEM)]),
    call(libc::SYS_mprotect, "mprotect", &[Error(ENOMEM)]),
    call(libc::SYS_brk, "brk", &[Error(ENOMEM)]),
    call(libc::SYS_clone, "clone", &[Error(EAGAIN), Error(ENOMEM)]),
    call(libc::SYS_clone3, "clone3", &[Error(EAGAIN), Error(ENOMEM)]),
    call(libc::SYS_fork, "fork", &[Error(EAGAIN), Error(ENOMEM)]),
    call(libc::SYS_vfork, "vfork", &[Error(EAGAIN), Error(ENOMEM)]),
    call(libc::SYS_execve, "execve", &[Error(ENOMEM), Error(EIO)]),
    call(libc::SYS_wait4, "wait4", &[Error(EINTR)]),
    call(libc::SYS_setns, "setns", &[Error(EPERM), Error(ENOMEM)]),
    call(libc::SYS_unlink, "unlink", &[Error(EIO), Error(EPERM)]),
    call(libc::SYS_unlinkat, "unlinkat", &[Error(EIO), Error(EPERM)]),
    call(libc::SYS_rename, "rename", &[Error(EIO), Error(ENOSPC)]),
    call(libc::SYS_renameat, "renameat", &[Error(EIO), Error(ENOSPC)]),
    call(
        libc::SYS_renameat2,
        "renameat2",
        &[Error(EIO), Error(ENOSPC)],
    ),
    call(
        libc::SYS_fsync,
        "fsync",
        &[Error(EIO), Error(ENOSPC), Error(EINTR)],
    ),
    call(
        libc::SYS_ftruncate,
        "ftruncate",
        &[Error(EIO), Error(ENOSPC)],
    ),
    call(libc::SYS_chmod, "chmod", &[Error(EPERM), Error(EIO)]),
    call(libc::SYS_fchmod, "fchmod", &[Error(EPERM), Error(EIO)]),
    call(libc::SYS_fchmodat, "fchmodat", &[Error(EPERM), Error(EIO)]),
    call(libc::SYS_fchown, "fchown", &[Error(EPERM), Error(EIO)]),
    call(
        libc::SYS_utimensat,
        "utimensat",
        &[Error(EPERM), Error(EIO)],
    ),
    call(
        libc::SYS_fsetxattr,
        "fsetxattr",
        &[Error(EPERM), Error(ENOSPC)],
    ),
    call(
        libc::SYS_flistxattr,
        "flistxattr",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(
        libc::SYS_copy_file_range,
        "copy_file_range",
        &[Error(EIO), Error(ENOSPC)],
    ),
    call(
        libc::SYS_fgetxattr,
        "fgetxattr",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(libc::SYS_getxattr, "getxattr", &[Error(EIO), Error(ENOMEM)]),
    call(
        libc::SYS_lgetxattr,
        "lgetxattr",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(
        libc::SYS_listxattr,
        "listxattr",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(
        libc::SYS_llistxattr,
        "llistxattr",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(
        libc::SYS_setxattr,
        "setxattr",
        &[Error(EPERM), Error(ENOSPC)],
    ),
    call(libc::SYS_chown, "chown", &[Error(EPERM), Error(EIO)]),
    call(libc::SYS_lchown, "lchown", &[Error(EPERM), Error(EIO)]),
    call(libc::SYS_fchownat, "fchownat", &[Error(EPERM), Error(EIO)]),
    call(libc::SYS_mkdir, "mkdir", &[Error(EIO), Error(ENOSPC)]),
    call(libc::SYS_mkdirat, "mkdirat", &[Error(EIO), Error(ENOSPC)]),
    call(libc::SYS_rmdir, "rmdir", &[Error(EIO), Error(EPERM)]),
    call(libc::SYS_linkat, "linkat", &[Error(EIO), Error(ENOSPC)]),
    call(
        libc::SYS_fdatasync,
        "fdatasync",
        &[Error(EIO), Error(ENOSPC)],
    ),
    call(libc::SYS_syncfs, "syncfs", &[Error(EIO), Error(ENOSPC)]),
    call(
        libc::SYS_fallocate,
        "fallocate",
        &[Error(EIO), Error(ENOSPC)],
    ),
    call(libc::SYS_sendfile, "sendfile", &[Error(EIO), Error(ENOMEM)]),
    call(
        libc::SYS_readlinkat,
        "readlinkat",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(
        libc::SYS_faccessat,
        "faccessat",
        &[Error(EIO), Error(ENOMEM)],
    ),
    call(libc::SYS_chdir, "chdir", &[Error(EIO), Error(ENOMEM)]),
    call(libc::SYS_fchdir, "fchdir", &[Error(EIO), Error(ENOMEM)]),
];

/// Not a system call: memory from the C library.
pub const ALLOCATION: c_long = -1;

/// Calls that cannot fail where they are made, whose failure is told by another's,
/// or that have no effect outside the process.
const PROVE_NOTHING: &[c_long] = &[
    libc::SYS_arch_prctl,
    libc::SYS_personality,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_flock,
    libc::SYS_msync,
    libc::SYS_mincore,
    libc::SYS_membarrier,
    libc::SYS_sched_setaffinity,
    libc::SYS_pause,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_capget,
    libc::SYS_getsid,
    libc::SYS_setsid,
    libc::SYS_getpgid,
    libc::SYS_sync,
    libc::SYS_setrlimit,
    libc::SYS_getrlimit,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_prlimit64,
    libc::SYS_getrandom,
    libc::SYS_munmap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_prctl,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getpgrp,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_setpgid,
    libc::SYS_umask,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getcwd,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_time,
    libc::SYS_alarm,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_restart_syscall,
    libc::SYS_dup2,
    libc::SYS_dup3,
    libc::SYS_shutdown,
    libc::SYS_fadvise64,
    libc::SYS_getpeername,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_setitimer,
    libc::SYS_timer_settime,
];

const fn call(number: c_long, name: &'static str, kinds: &'static [Kind]) -> Call {
    Call {
        number,
        name,
        kinds,
    }
}

/// The call with this number; none if it proves nothing.
pub fn by_number(number: c_long) -> Option<&'static Call> {
    let call = CALLS.iter().find(|call| call.number == number);
    assert!(
        call.is_some() || PROVE_NOTHING.contains(&number),
        "tests/faults/calls.rs does not say how the system call {number} fails"
    );
    call
}
