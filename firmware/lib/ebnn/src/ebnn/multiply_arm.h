/*
 * The inner loops of multiply_words.h on Arm's Cortex-M, where a compiler would keep sums in memory. They take all
 * registers: a build with -fno-omit-frame-pointer defines EBNN_ALL_REGISTERS as 0, and has them in C.
 */
#ifndef EBNN_ALL_REGISTERS
#if defined(__GNUC__) && !defined(__clang__) && defined(__thumb__) && defined(__OPTIMIZE__)
#define EBNN_ALL_REGISTERS 1
#else
#define EBNN_ALL_REGISTERS 0
#endif
#endif

#if EBNN_ALL_REGISTERS

#if defined(__thumb2__)

#define EBNN_ARM_WITH(text) text
#define EBNN_ARM_WITHOUT(text)

#if !defined(__ARM_FEATURE_DSP)

/* A weight of filter `of` and its products; EBNN_ARM_Y drops what is of the second patch. */
#define EBNN_ARM_TIMES(at, of, second)           \
    "ldrb %[w], [%[weights], #" at "]\n\t"       \
    "mla %[x" of "], %[x], %[w], %[x" of "]\n\t" \
    second("mla %[y" of "], %[y], %[w], %[y" of "]\n\t")

#define EBNN_ARM_TAP(load, at, second, of_0, of_1, of_2, of_3) \
    load " %[x], [%[first], #" at "]\n\t"                      \
    second(load " %[y], [%[other], #" at "]\n\t")              \
    EBNN_ARM_TIMES(of_0, "0", second)                          \
    EBNN_ARM_TIMES(of_1, "1", second)                          \
    EBNN_ARM_TIMES(of_2, "2", second)                          \
    EBNN_ARM_TIMES(of_3, "3", second)

#define EBNN_ARM_FOURS(load, second)                            \
    "1:\n\t"                                                    \
    "adds %[weights], #16\n\t"                                  \
    load " %[x], [%[first]], #4\n\t"                            \
    second(load " %[y], [%[other]], #4\n\t")                    \
    EBNN_ARM_TIMES("-16", "0", second)                          \
    EBNN_ARM_TIMES("-15", "1", second)                          \
    EBNN_ARM_TIMES("-12", "2", second)                          \
    EBNN_ARM_TIMES("-11", "3", second)                          \
    EBNN_ARM_TAP(load, "-3", second, "-8", "-7", "-4", "-3")    \
    EBNN_ARM_TAP(load, "-2", second, "-14", "-13", "-10", "-9") \
    EBNN_ARM_TAP(load, "-1", second, "-6", "-5", "-2", "-1")    \
    "ldr %[w], %[end]\n\t"                                      \
    "cmp %[first], %[w]\n\t"                                    \
    "bne 1b"

#define EBNN_ARM_RUN(text)                                                                                        \
    do {                                                                                                          \
        uint32_t x, y, w;                                                                                         \
                                                                                                                  \
        if (patches == 2u)                                                                                        \
            __asm__ volatile(text(EBNN_ARM_WITH)                                                                  \
                             : [first] "+&r"(values.x), [other] "+&r"(values.y), [weights] "+&r"(weights),        \
                               [x0] "+&r"(x0), [x1] "+&r"(x1), [x2] "+&r"(x2), [x3] "+&r"(x3), [y0] "+&r"(y0),    \
                               [y1] "+&r"(y1), [y2] "+&r"(y2), [y3] "+&r"(y3), [x] "=&r"(x), [y] "=&r"(y),        \
                               [w] "=&r"(w)                                                                       \
                             : [end] "m"(fours)                                                                   \
                             : "cc", "memory");                                                                   \
        else                                                                                                      \
            __asm__ volatile(text(EBNN_ARM_WITHOUT)                                                               \
                             : [first] "+&r"(values.x), [weights] "+&r"(weights), [x0] "+&r"(x0), [x1] "+&r"(x1), \
                               [x2] "+&r"(x2), [x3] "+&r"(x3), [x] "=&r"(x), [w] "=&r"(w)                         \
                             : [end] "m"(fours)                                                                   \
                             : "cc", "memory");                                                                   \
        (void)x, (void)w;                                                                                         \
    } while (0)

#define EBNN_ARM_SIGNED(second) EBNN_ARM_FOURS("ldrsb", second)
#define EBNN_ARM_UNSIGNED(second) EBNN_ARM_FOURS("ldrb", second)
#define EBNN_OWN_FOURS                       \
    do {                                     \
        if (is_signed)                       \
            EBNN_ARM_RUN(EBNN_ARM_SIGNED);   \
        else                                 \
            EBNN_ARM_RUN(EBNN_ARM_UNSIGNED); \
    } while (0)

#else

/*
 * A core with DSP instructions multiplies two pairs of 16 bits at once: `v` and `w` are pairs of weights of one filter,
 * of taps 0 and 2 or of 1 and 3, as `x` and `y` are of values.
 */
#define EBNN_ARM_TIMES(of, of_next, second)                  \
    "uxtb16 %[v], %[w]\n\t"                                  \
    "smlad %[x" of "], %[v], %[x], %[x" of "]\n\t"           \
    second("smlad %[y" of "], %[v], %[y], %[y" of "]\n\t")   \
    "uxtb16 %[w], %[w], ror #8\n\t"                          \
    "smlad %[x" of_next "], %[w], %[x], %[x" of_next "]\n\t" \
    second("smlad %[y" of_next "], %[w], %[y], %[y" of_next "]\n\t")

#define EBNN_ARM_FOURS(pairs, second)        \
    "1:\n\t"                                 \
    second("ldr %[w], %[apart]\n\t")         \
    second("ldr %[y], [%[first], %[w]]\n\t") \
    "ldr %[x], [%[first]]\n\t"               \
    second(pairs " %[y], %[y]\n\t")          \
    pairs " %[x], %[x]\n\t"                  \
    "ldr %[w], [%[weights]], #16\n\t"        \
    EBNN_ARM_TIMES("0", "1", second)         \
    "ldr %[w], [%[weights], #-12]\n\t"       \
    EBNN_ARM_TIMES("2", "3", second)         \
    second("ldr %[w], %[apart]\n\t")         \
    second("ldr %[y], [%[first], %[w]]\n\t") \
    "ldr %[x], [%[first]], #4\n\t"           \
    second(pairs " %[y], %[y], ror #8\n\t")  \
    pairs " %[x], %[x], ror #8\n\t"          \
    "ldr %[w], [%[weights], #-8]\n\t"        \
    EBNN_ARM_TIMES("0", "1", second)         \
    "ldr %[w], [%[weights], #-4]\n\t"        \
    EBNN_ARM_TIMES("2", "3", second)         \
    "ldr %[w], %[end]\n\t"                   \
    "cmp %[first], %[w]\n\t"                 \
    "bne 1b"

#define EBNN_ARM_RUN(text)                                                                                        \
    do {                                                                                                          \
        uint32_t x, y, v, w;                                                                                      \
                                                                                                                  \
        if (patches == 2u) {                                                                                      \
            const ptrdiff_t apart = values.y - values.x;                                                          \
                                                                                                                  \
            __asm__ volatile(text(EBNN_ARM_WITH)                                                                  \
                             : [first] "+&r"(values.x), [weights] "+&r"(weights), [x0] "+&r"(x0), [x1] "+&r"(x1), \
                               [x2] "+&r"(x2), [x3] "+&r"(x3), [y0] "+&r"(y0), [y1] "+&r"(y1), [y2] "+&r"(y2),    \
                               [y3] "+&r"(y3), [x] "=&r"(x), [y] "=&r"(y), [v] "=&r"(v), [w] "=&r"(w)             \
                             : [end] "m"(fours), [apart] "m"(apart)                                               \
                             : "cc", "memory");                                                                   \
            values.y = values.x + apart;                                                                          \
            (void)y;                                                                                              \
        } else {                                                                                                  \
            __asm__ volatile(text(EBNN_ARM_WITHOUT)                                                               \
                             : [first] "+&r"(values.x), [weights] "+&r"(weights), [x0] "+&r"(x0), [x1] "+&r"(x1), \
                               [x2] "+&r"(x2), [x3] "+&r"(x3), [x] "=&r"(x), [v] "=&r"(v), [w] "=&r"(w)           \
                             : [end] "m"(fours)                                                                   \
                             : "cc", "memory");                                                                   \
        }                                                                                                         \
        (void)x, (void)v, (void)w;                                                                                \
    } while (0)

#define EBNN_ARM_SIGNED(second) EBNN_ARM_FOURS("sxtb16", second)
#define EBNN_ARM_UNSIGNED(second) EBNN_ARM_FOURS("uxtb16", second)
#define EBNN_OWN_FOURS                       \
    do {                                     \
        if (is_signed)                       \
            EBNN_ARM_RUN(EBNN_ARM_SIGNED);   \
        else                                 \
            EBNN_ARM_RUN(EBNN_ARM_UNSIGNED); \
    } while (0)

/* Bytes 0 and 2 of a word, or 1 and 3, as a pair. */
EBNN_PART uint32_t ebnn_pair(uint32_t word, uint8_t odd, uint8_t is_signed)
{
    uint32_t pair;

    if (is_signed && odd)
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    else if (is_signed)
        __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(word));
    else if (odd)
        __asm__("uxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    else
        __asm__("uxtb16 %0, %1" : "=r"(pair) : "r"(word));
    return pair;
}

/* A word of any alignment. */
EBNN_PART uint32_t ebnn_any_word(const uint8_t *at)
{
    uint32_t word;

    __builtin_memcpy(&word, at, 4u);
    return word;
}

EBNN_PART uint32_t ebnn_add_pairs(uint32_t sum, uint32_t a, uint32_t b)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}

/* Four taps of one filter, whose weights follow each other. */
#define EBNN_ARM_ROW(row, x_sum, y_sum)                                         \
    do {                                                                        \
        const uint32_t word = ebnn_any_word(row);                               \
        const uint32_t even = ebnn_pair(word, 0, 0);                            \
        const uint32_t odd = ebnn_pair(word, 1, 0);                             \
                                                                                \
        x_sum = ebnn_add_pairs(ebnn_add_pairs(x_sum, even, x), odd, x_odd);     \
        if (patches == 2u)                                                      \
            y_sum = ebnn_add_pairs(ebnn_add_pairs(y_sum, even, y), odd, y_odd); \
    } while (0)

#define EBNN_OWN_ROWS                                           \
    do {                                                        \
        const uint32_t x_word = ebnn_any_word(values.x);        \
        const uint32_t y_word = ebnn_any_word(values.y);        \
        const uint32_t x = ebnn_pair(x_word, 0, is_signed);     \
        const uint32_t x_odd = ebnn_pair(x_word, 1, is_signed); \
        const uint32_t y = ebnn_pair(y_word, 0, is_signed);     \
        const uint32_t y_odd = ebnn_pair(y_word, 1, is_signed); \
                                                                \
        EBNN_ARM_ROW(weights, x0, y0);                          \
        if (filters == 2u)                                      \
            EBNN_ARM_ROW(second, x1, y1);                       \
        values.x += 4;                                          \
        values.y += 4;                                          \
        weights += 4;                                           \
        second += 4;                                            \
    } while (values.x != fours)

#endif

#else

#define EBNN_ARM_TIMES(at, of)             \
    "ldrb %[w], [%[weights], #" at "]\n\t" \
    "muls %[w], %[x], %[w]\n\t"            \
    "adds %[x" of "], %[x" of "], %[w]\n\t"

#define EBNN_ARM_TAP(at, extend, of_0, of_1, of_2, of_3) \
    "ldrb %[x], [%[first], #" at "]\n\t" extend          \
    EBNN_ARM_TIMES(of_0, "0")                            \
    EBNN_ARM_TIMES(of_1, "1")                            \
    EBNN_ARM_TIMES(of_2, "2")                            \
    EBNN_ARM_TIMES(of_3, "3")

#define EBNN_ARM_RUN(extend)                                                                                  \
    do {                                                                                                      \
        uint32_t x, w;                                                                                        \
                                                                                                              \
        __asm__ volatile(".syntax unified\n"                                                                  \
                         "1:\n\t"                                                                             \
                         EBNN_ARM_TAP("0", extend, "0", "1", "4", "5")                                        \
                         EBNN_ARM_TAP("1", extend, "8", "9", "12", "13")                                      \
                         EBNN_ARM_TAP("2", extend, "2", "3", "6", "7")                                        \
                         EBNN_ARM_TAP("3", extend, "10", "11", "14", "15")                                    \
                         "adds %[first], #4\n\t"                                                              \
                         "adds %[weights], #16\n\t"                                                           \
                         "cmp %[first], %[end]\n\t"                                                           \
                         "bne 1b"                                                                             \
                         : [first] "+&l"(values.x), [weights] "+&l"(weights), [x0] "+&l"(x0), [x1] "+&l"(x1), \
                           [x2] "+&l"(x2), [x3] "+&l"(x3), [x] "=&l"(x), [w] "=&l"(w)                         \
                         : [end] "h"(fours)                                                                   \
                         : "cc", "memory");                                                                   \
        (void)x, (void)w;                                                                                     \
    } while (0)

#define EBNN_OWN_FOURS                           \
    do {                                         \
        if (is_signed)                           \
            EBNN_ARM_RUN("sxtb %[x], %[x]\n\t"); \
        else                                     \
            EBNN_ARM_RUN("");                    \
    } while (0)

#endif

#endif
