/*
 * The inner loops of columns.h in AVR assembly, each with the cycles that it takes on a core with 2-cycle loads from
 * RAM and 3-cycle loads from flash. Included by columns.h, whose types they work on. X is r27:r26,
 * Y r29:r28, Z r31:r30.
 */
#include "columns.h" /* includes this file, where its types are known */

#ifndef EBNN_COLUMNS_AVR_H
#define EBNN_COLUMNS_AVR_H

#if defined(__AVR__)

/*
 * The sums of a group of three unsigned taps in one span, which is not empty; `to` is the first one's place. 59 cycles
 * a column. X walks over the input: tap by tap down a column, then back and one step on. Z is the column's place in the
 * first of four rows of sums, a pitch apart.
 */
EBNN_KERNEL void ebnn_make_triples(const ebnn_columns_t *columns, const ebnn_tap_t *taps, const ebnn_span_t *span,
                                   ebnn_sums_t *to)
{
    const uint8_t *from = columns->input + span->from + taps[0].at;
    const uint16_t second = (uint16_t)(taps[1].at - taps[0].at), third = (uint16_t)(taps[2].at - taps[1].at);
    const uint16_t back = (uint16_t)(second + third - columns->step);
    const uint16_t pitch = (uint16_t)(2u * columns->columns), up = (uint16_t)(3u * pitch - 2u);
    uint16_t low, high;
    uint8_t a, b, c, count = span->count;

    __asm__ volatile("1:\n\t"
                     "ld %[a], X\n\t"
                     "and %[a], %[first_mask]\n\t"
                     "add r26, %A[second]\n\t"
                     "adc r27, %B[second]\n\t"
                     "ld %[b], X\n\t"
                     "and %[b], %[second_mask]\n\t"
                     "add r26, %A[third]\n\t"
                     "adc r27, %B[third]\n\t"
                     "ld %[c], X\n\t"
                     "and %[c], %[third_mask]\n\t"
                     "sub r26, %A[back]\n\t"
                     "sbc r27, %B[back]\n\t"
                     "mov %A[low], %[a]\n\t" /* a − b − c */
                     "sub %A[low], %[b]\n\t"
                     "sbc %B[low], %B[low]\n\t"
                     "sub %A[low], %[c]\n\t"
                     "sbc %B[low], __zero_reg__\n\t"
                     "st Z, %A[low]\n\t"
                     "std Z+1, %B[low]\n\t"
                     "add r30, %A[pitch]\n\t"
                     "adc r31, %B[pitch]\n\t"
                     "clr %B[high]\n\t" /* a + b − c */
                     "mov %A[high], %[a]\n\t"
                     "add %A[high], %[b]\n\t"
                     "adc %B[high], %B[high]\n\t"
                     "sub %A[high], %[c]\n\t"
                     "sbc %B[high], __zero_reg__\n\t"
                     "st Z, %A[high]\n\t"
                     "std Z+1, %B[high]\n\t"
                     "add r30, %A[pitch]\n\t"
                     "adc r31, %B[pitch]\n\t"
                     "clr __tmp_reg__\n\t" /* both + 2c */
                     "lsl %[c]\n\t"
                     "rol __tmp_reg__\n\t"
                     "add %A[low], %[c]\n\t"
                     "adc %B[low], __tmp_reg__\n\t"
                     "st Z, %A[low]\n\t"
                     "std Z+1, %B[low]\n\t"
                     "add r30, %A[pitch]\n\t"
                     "adc r31, %B[pitch]\n\t"
                     "add %A[high], %[c]\n\t"
                     "adc %B[high], __tmp_reg__\n\t"
                     "st Z, %A[high]\n\t"
                     "std Z+1, %B[high]\n\t"
                     "sub r30, %A[up]\n\t"
                     "sbc r31, %B[up]\n\t"
                     "dec %[count]\n\t"
                     "brne 1b\n\t"
                     : "+&x"(from), "+&z"(to), [count] "+&r"(count), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
                       [low] "=&r"(low), [high] "=&r"(high)
                     : [second] "r"(second), [third] "r"(third), [back] "r"(back), [pitch] "r"(pitch), [up] "r"(up),
                       [first_mask] "r"(taps[0].mask), [second_mask] "r"(taps[1].mask),
                       [third_mask] "r"(taps[2].mask)
                     : "memory");
}

/* Adds `count` sums at X to those at Z, or subtracts them: 17 cycles each. */
EBNN_INLINE void ebnn_add_sums(ebnn_sums_t *to, const ebnn_sums_t *from, uint8_t count, uint8_t is_minus)
{
    uint8_t byte;

#define EBNN_ADD_SUM(add, adc)                                 \
    "1:\n\t"                                                   \
    "ld %[byte], Z\n\t"                                        \
    "ld __tmp_reg__, X+\n\t" add " %[byte], __tmp_reg__\n\t"   \
    "st Z+, %[byte]\n\t"                                       \
    "ld %[byte], Z\n\t"                                        \
    "ld __tmp_reg__, X+\n\t" adc " %[byte], __tmp_reg__\n\t"   \
    "st Z+, %[byte]\n\t"                                       \
    "dec %[count]\n\t"                                         \
    "brne 1b\n\t"
    if (is_minus)
        __asm__ volatile(EBNN_ADD_SUM("sub", "sbc")
                         : "+&z"(to), "+&x"(from), [count] "+&r"(count), [byte] "=&r"(byte)
                         :
                         : "memory");
    else
        __asm__ volatile(EBNN_ADD_SUM("add", "adc")
                         : "+&z"(to), "+&x"(from), [count] "+&r"(count), [byte] "=&r"(byte)
                         :
                         : "memory");
#undef EBNN_ADD_SUM
}

/* The mark of one position, 19 cycles: its three sums at X, Y and Z and the level are added up, bit 15 goes into
 * marks. */
#define EBNN_MARK_POSITION(add_second, adc_second, add_third, adc_third) \
    "ld %A[sum], X+\n\t"                                                 \
    "ld %B[sum], X+\n\t"                                                 \
    "ld __tmp_reg__, Y+\n\t" add_second " %A[sum], __tmp_reg__\n\t"      \
    "ld __tmp_reg__, Y+\n\t" adc_second " %B[sum], __tmp_reg__\n\t"      \
    "ld __tmp_reg__, Z+\n\t" add_third " %A[sum], __tmp_reg__\n\t"       \
    "ld __tmp_reg__, Z+\n\t" adc_third " %B[sum], __tmp_reg__\n\t"       \
    "add %A[sum], %A[level]\n\t"                                         \
    "adc %B[sum], %B[level]\n\t"                                         \
    "lsl %B[sum]\n\t"                                                    \
    "ror %[marks]\n\t"

/*
 * One loop for each pair of signs, two positions a turn: 21 cycles each. An odd number of them begins in the middle.
 * Marks wait on the stack until their pointer has a register.
 */
#define EBNN_MARK_LOOP(entry, turn, middle, add_second, adc_second, add_third, adc_third) \
    entry ":\n\t"                                                                         \
          "brts " middle "f\n\t" turn ":\n\t" /*                                          \
          */ EBNN_MARK_POSITION(add_second, adc_second, add_third, adc_third) middle      \
          ":\n\t" /*                                                                      \
          */ EBNN_MARK_POSITION(add_second, adc_second, add_third, adc_third)             \
          "brcc " turn "b\n\t"                                                            \
          "push %[marks]\n\t"                                                             \
          "ldi %[marks], 0x80\n\t"                                                        \
          "dec %[left]\n\t"                                                               \
          "brne " turn "b\n\t"

/*
 * The marks of `filters` filters, in rows of `step` each. codes: of the first filter's last three lookups; partial: in
 * place of the third from the end, or NULL; keep: all bits 1 where the marks are ORed into those that are there, else
 * 0. About 55 cycles a filter and 20 a part beside the loop. X, Y and Z walk along the three rows of sums; Z first
 * reads the filter's codes. T is 1 where a strip has an odd number of positions. Y is saved by hand: classes "l" and
 * "a", which all other operands have, leave it out.
 */
EBNN_INLINE void ebnn_mark_filters(const ebnn_columns_t *columns, const uint8_t *codes, const ebnn_sums_t *partial,
                                   uint16_t filters, ebnn_row_marks_t *to, uint16_t step, ebnn_row_marks_t keep)
{
    const uint8_t parts = columns->parts;
    /* 1 where the first position's mark is when it is pushed, in the first part, the one that may be short. */
    const uint8_t start = (uint8_t)(1u << ((columns->run - 1u) % 8u));
    ebnn_row_marks_t *last = to + (uint16_t)(parts - 1u) * step;
    const uint8_t *next;
    uint16_t sum, level;
    uint8_t marks, turned, left;

    __asm__ volatile("push r28\n\t"
                     "push r29\n\t"
                     "bst %[run], 0\n\t"
                     "1:\n\t"
                     EBNN_AVR_READ " r26, Z+\n\t"
                     EBNN_AVR_READ " r28, Z+\n\t"
                     EBNN_AVR_READ " %A[sum], Z+\n\t"
                     EBNN_AVR_READ " %A[level], Z+\n\t"
                     EBNN_AVR_READ " %B[level], Z+\n\t"
                     "movw %[next], r30\n\t"
                     "mov r30, %A[sum]\n\t"
                     "clr r27\n\t"
                     "clr r29\n\t"
                     "clr r31\n\t"
                     "mov %[marks], %[start]\n\t"
                     "mov %[left], %[parts]\n\t"
                     "lsl r26\n\t"
                     "sbc %[turned], %[turned]\n\t"
                     "add r26, %A[table]\n\t"
                     "adc r27, %B[table]\n\t"
                     "cp %A[partial], __zero_reg__\n\t"
                     "cpc %B[partial], __zero_reg__\n\t"
                     "breq 2f\n\t"
                     "movw r26, %[partial]\n\t"
                     "2:\n\t"
                     "lsl r28\n\t"
                     "sbc %A[sum], %A[sum]\n\t"
                     "add r28, %A[table]\n\t"
                     "adc r29, %B[table]\n\t"
                     "lsl r30\n\t"
                     "sbc __tmp_reg__, __tmp_reg__\n\t"
                     "add r30, %A[table]\n\t"
                     "adc r31, %B[table]\n\t"
                     "sbrc %A[sum], 0\n\t"
                     "rjmp 6f\n\t"
                     "sbrc __tmp_reg__, 0\n\t"
                     "rjmp 4f\n\t" /*
                     */ EBNN_MARK_LOOP("3", "23", "13", "add", "adc", "add", "adc")
                     "rjmp 8f\n\t" /*
                     */ EBNN_MARK_LOOP("4", "24", "14", "add", "adc", "sub", "sbc")
                     "rjmp 8f\n\t"
                     "6:\n\t"
                     "sbrc __tmp_reg__, 0\n\t"
                     "rjmp 7f\n\t" /*
                     */ EBNN_MARK_LOOP("5", "25", "15", "sub", "sbc", "add", "adc")
                     "rjmp 8f\n\t" /*
                     */ EBNN_MARK_LOOP("7", "27", "17", "sub", "sbc", "sub", "sbc")
                     "8:\n\t"
                     "movw r26, %[last]\n\t"
                     "mov %[left], %[parts]\n\t"
                     "9:\n\t"
                     "pop %[marks]\n\t"
                     "eor %[marks], %[turned]\n\t"
                     "ld __tmp_reg__, X\n\t"
                     "and __tmp_reg__, %[keep]\n\t"
                     "or %[marks], __tmp_reg__\n\t"
                     "st X, %[marks]\n\t"
                     "sub r26, %A[step]\n\t"
                     "sbc r27, %B[step]\n\t"
                     "dec %[left]\n\t"
                     "brne 9b\n\t"
                     "movw r30, %[next]\n\t"
                     "subi %A[last], 0xFF\n\t"
                     "sbci %B[last], 0xFF\n\t"
                     "subi %A[filters], 1\n\t"
                     "sbci %B[filters], 0\n\t"
                     "breq 10f\n\t"
                     "rjmp 1b\n\t"
                     "10:\n\t"
                     "pop r29\n\t"
                     "pop r28\n\t"
                     : "+&z"(codes), [filters] "+&a"(filters), [last] "+&a"(last), [sum] "=&l"(sum),
                       [level] "=&l"(level), [marks] "=&a"(marks), [turned] "=&l"(turned), [left] "=&l"(left),
                       [next] "=&l"(next)
                     : [table] "l"(columns->table), [start] "l"(start), [parts] "l"(parts), [partial] "a"(partial),
                       [step] "l"(step), [keep] "a"(keep), [run] "r"(columns->run)
                     : "r26", "r27", "memory");
}

/*
 * Shifts into `byte`, above a 1, whether each of `count` filters passes in a window; moves the output on where the byte
 * is full. 11 cycles a filter, 6 where they are whole bytes.
 */
EBNN_INLINE uint8_t *ebnn_pool_window(const ebnn_marks_t *marks, ebnn_marks_t mask, uint16_t count, uint8_t *byte,
                                      uint8_t *output)
{
    uint8_t shifted = *byte;

#define EBNN_POOL_FILTER               \
    "ld __tmp_reg__, X+\n\t"           \
    "and __tmp_reg__, %[mask]\n\t"     \
    "cp __zero_reg__, __tmp_reg__\n\t" \
    "ror %[byte]\n\t"
#define EBNN_POOL_TWO EBNN_POOL_FILTER EBNN_POOL_FILTER
    if (count % 8u == 0) {
        __asm__ volatile("1:\n\t" EBNN_POOL_TWO EBNN_POOL_TWO EBNN_POOL_TWO EBNN_POOL_TWO "st Z+, %[byte]\n\t"
                         "sbiw %[count], 8\n\t"
                         "brne 1b\n\t"
                         : "+&x"(marks), "+&z"(output), [count] "+&w"(count), [byte] "+&r"(shifted)
                         : [mask] "r"(mask)
                         : "memory");
        return output;
    }
    __asm__ volatile("1:\n\t" EBNN_POOL_FILTER "brcc 2f\n\t"
                     "st Z+, %[byte]\n\t"
                     "ldi %[byte], 0x80\n\t"
                     "2:\n\t"
                     "sbiw %[count], 1\n\t"
                     "brne 1b\n\t"
                     : "+&x"(marks), "+&z"(output), [count] "+&w"(count), [byte] "+&a"(shifted)
                     : [mask] "r"(mask)
                     : "memory");
#undef EBNN_POOL_FILTER
#undef EBNN_POOL_TWO
    *byte = shifted;
    return output;
}

#endif

#endif
