/*
 * Functions that save and restore a function's registers at the stack pointer, r13 lowest, as the compiler calls them.
 * libgcc's are compiled for another core and do not link. Those that return take the frame's size, blink's place,
 * in r12.
 */

/* Each of r25 down to r15 falls through to the next. */
#define CHAIN(prefix, suffix, move)                                                                                   \
    LINK(prefix, suffix, move, 25, 48)                                                                                 \
    LINK(prefix, suffix, move, 24, 44)                                                                                 \
    LINK(prefix, suffix, move, 23, 40)                                                                                 \
    LINK(prefix, suffix, move, 22, 36)                                                                                 \
    LINK(prefix, suffix, move, 21, 32)                                                                                 \
    LINK(prefix, suffix, move, 20, 28)                                                                                 \
    LINK(prefix, suffix, move, 19, 24)                                                                                 \
    LINK(prefix, suffix, move, 18, 20)                                                                                 \
    LINK(prefix, suffix, move, 17, 16)                                                                                 \
    LINK(prefix, suffix, move, 16, 12)                                                                                 \
    LINK(prefix, suffix, move, 15, 8)
#define LINK(prefix, suffix, move, register, offset)                                                                  \
    "    .global " prefix "_r13_to_r" #register suffix "\n" prefix "_r13_to_r" #register suffix ":\n"                  \
    "    " move " %r" #register ", [%sp, " #offset "]\n"

__asm__(".section .text.millicode_st, \"ax\"\n"
        CHAIN("__st", "", "st")
        "    st %r14, [%sp, 4]\n"
        "    j_s.d [%blink]\n"
        "    st %r13, [%sp, 0]\n"
        ".section .text.millicode_ld, \"ax\"\n"
        CHAIN("__ld", "", "ld")
        "    ld %r14, [%sp, 4]\n"
        "    j_s.d [%blink]\n"
        "    ld %r13, [%sp, 0]\n"
        ".section .text.millicode_ld_ret, \"ax\"\n"
        CHAIN("__ld", "_ret", "ld")
        "    .global __ld_r13_to_r14_ret\n"
        "__ld_r13_to_r14_ret:\n"
        "    ld %blink, [%sp, %r12]\n"
        "    ld %r14, [%sp, 4]\n"
        "    ld.ab %r13, [%sp, %r12]\n"
        "    j_s.d [%blink]\n"
        "    add_s %sp, %sp, 4\n"
        ".text\n");
