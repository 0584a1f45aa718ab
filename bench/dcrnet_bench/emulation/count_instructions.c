/* A QEMU TCG plug-in: how many AArch64 instructions of each kind a program executes.
 *
 * The program marks moments with the system call sched_get_priority_max, which nothing else uses;
 * at each a line with the counts so far, in the order of `enum kind`, is appended to the file that
 * the argument out=FILE names. Encodings: Arm Architecture Reference Manual for A-profile (DDI
 * 0487), section C4.1. Declarations: QEMU's include/qemu/qemu-plugin.h, API version 1; Debian has
 * no package with it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void (*translated_cb)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed_cb)(unsigned int, void *);
typedef void (*system_call_cb)(qemu_plugin_id_t, unsigned int, int64_t, uint64_t, uint64_t, uint64_t,
                               uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_cb);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, executed_cb,
                                                 enum qemu_plugin_cb_flags, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, system_call_cb);
EXPORT int qemu_plugin_version = 1;

enum { MARK = 125, MOST_VCPUS = 1024 }; /* MARK: AArch64's number of sched_get_priority_max */

enum kind { DOT, MATRIX, FMLA, WIDENING, LOAD, STORE, OTHER, KINDS };

static uint64_t executed[MOST_VCPUS][KINDS];
static FILE *out;

static enum kind load_or_store(uint32_t word) {
  uint32_t has_load_bit = word >> 22 & 1, size_and_load = word >> 22 & 3;
  if ((word & 0xff000000) == 0xd8000000) return OTHER;  /* PRFM, literal */
  if ((word & 0x3b000000) == 0x18000000) return LOAD;   /* literal */
  if ((word & 0x3b200c00) == 0x38200000) return LOAD;   /* atomic read-modify-write */
  if ((word & 0xfec00000) == 0xf8800000) return OTHER;  /* PRFM moves nothing into a register */
  if ((word & 0x3a000000) == 0x38000000 && !(word & 0x04000000)) /* general register */
    return size_and_load ? LOAD : STORE;
  if ((word & 0x3f000000) == 0x19000000) return size_and_load ? LOAD : STORE; /* LDAPUR, STLUR */
  return has_load_bit ? LOAD : STORE; /* vector register, pair, exclusive, structure */
}

EXPORT int kind_of(uint32_t word) {
  if ((word & 0x9fe0fc00) == 0x0e809400 || (word & 0x9fc0f400) == 0x0f80e000 || /* SDOT, UDOT */
      (word & 0xbfe0fc00) == 0x0e809c00 || (word & 0xbf40f400) == 0x0f00f000)   /* USDOT, SUDOT */
    return DOT;
  if ((word & 0xdfe0fc00) == 0x4e80a400 || (word & 0xffe0fc00) == 0x4e80ac00) /* S, U, USMMLA */
    return MATRIX;
  if ((word & 0xbf20fc00) == 0x0e20cc00 || (word & 0xbf60fc00) == 0x0e400c00 || /* FMLA, FMLS */
      (word & 0xbf80b400) == 0x0f801000 || (word & 0xbfc0b400) == 0x0f001000)   /* by element */
    return FMLA;
  switch (word & 0x9f20fc00) { /* SMLAL, SMLSL, SMULL, and of unsigned */
    case 0x0e208000: case 0x0e20a000: case 0x0e20c000: return WIDENING;
  }
  switch (word & 0x9f00f400) { /* by element */
    case 0x0f002000: case 0x0f006000: case 0x0f00a000: return WIDENING;
  }
  return (word & 0x0a000000) == 0x08000000 ? load_or_store(word) : OTHER;
}

static void on_execution(unsigned int vcpu, void *block) {
  const uint32_t *counts = block;
  for (int kind = 0; kind < KINDS; kind++) executed[vcpu % MOST_VCPUS][kind] += counts[kind];
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  uint32_t *counts = calloc(KINDS, sizeof *counts); /* lives as long as the program */
  if (!counts) abort();
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
    uint32_t word;
    memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i)), sizeof word);
    counts[kind_of(word)]++;
  }
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_execution, QEMU_PLUGIN_CB_NO_REGS, counts);
}

static void on_system_call(qemu_plugin_id_t id, unsigned int vcpu, int64_t number, uint64_t a1,
                           uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6,
                           uint64_t a7, uint64_t a8) {
  if (number != MARK) return;
  for (int kind = 0; kind < KINDS; kind++) {
    uint64_t sum = 0;
    for (int each = 0; each < MOST_VCPUS; each++) sum += executed[each][kind];
    fprintf(out, kind + 1 < KINDS ? "%llu " : "%llu\n", (unsigned long long)sum);
  }
  fflush(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  for (int i = 0; i < argc; i++)
    if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "a");
  if (!out) {
    fprintf(stderr, "count_instructions: out=FILE is missing or cannot be written\n");
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_vcpu_syscall_cb(id, on_system_call);
  return 0;
}
