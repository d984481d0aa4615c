/*
 * A plugin for QEMU's emulation (TCG) that counts the instructions a command
 * executes in the guest, in user space and in the kernel.
 *
 * launch executes a marker, a long nop, right before and after the command. The
 * first one resets the sums; the second one writes them to the file that
 * out=FILE names, over what is there: "NUMBER USER KERNEL", NUMBER being one
 * more with each result. One guest processor is assumed.
 *
 * The interface is that of QEMU's plugins, version 1 (QEMU 4.2 to 8.2; later
 * ones refuse it); distributions ship no header for it, so its few parts stand
 * here.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { INLINE_ADD_U64 };
enum qemu_plugin_cb_flags { CB_NO_REGS };
typedef uint64_t qemu_plugin_id_t;
typedef void (*vcpu_tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*vcpu_udata_cb)(unsigned int vcpu_index, void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, vcpu_tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
                                              void *ptr, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, vcpu_udata_cb cb,
                                            enum qemu_plugin_cb_flags flags, void *userdata);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

/* nopl 0x49505653(%rax), nopl 0x49505645(%rax): see launch.c. */
static const uint8_t start_marker[] = {0x0f, 0x1f, 0x80, 0x53, 0x56, 0x50, 0x49};
static const uint8_t end_marker[] = {0x0f, 0x1f, 0x80, 0x45, 0x56, 0x50, 0x49};

/* Addresses from here on are the kernel's on x86-64. */
#define KERNEL 0x8000000000000000ULL

static uint64_t user, kernel, results;
static int out = -1;

static void start(unsigned int vcpu, void *data)
{
    (void)vcpu, (void)data;
    user = kernel = 0;
}

static void end(unsigned int vcpu, void *data)
{
    (void)vcpu, (void)data;
    char line[80];
    int len = snprintf(line, sizeof line, "%llu %llu %llu\n", (unsigned long long)++results,
                       (unsigned long long)user, (unsigned long long)kernel);
    if (pwrite(out, line, len, 0) != len || ftruncate(out, len) != 0)
        abort();
}

static bool is(struct qemu_plugin_insn *insn, const uint8_t *marker)
{
    return qemu_plugin_insn_size(insn) == sizeof start_marker &&
           memcmp(qemu_plugin_insn_data(insn), marker, sizeof start_marker) == 0;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    size_t n = qemu_plugin_tb_n_insns(tb);
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64,
                                             address >= KERNEL ? &kernel : &user, n);
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        if (is(insn, start_marker))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, start, CB_NO_REGS, NULL);
        else if (is(insn, end_marker))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, end, CB_NO_REGS, NULL);
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0)
            out = open(argv[i] + 4, O_RDWR | O_CREAT | O_TRUNC, 0644);
    }
    if (out < 0) {
        fprintf(stderr, "count: out=FILE is missing or cannot be written\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
