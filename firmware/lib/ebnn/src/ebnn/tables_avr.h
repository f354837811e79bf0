/*
 * Looking up and pooling of tables.h in AVR assembly, with the cycles that they take. Included by tables.h, whose types
 * they work on. X is r27:r26, Z r31:r30.
 */
#include "tables.h" /* includes this file, where its types are known */

#ifndef EBNN_TABLES_AVR_H
#define EBNN_TABLES_AVR_H

#if defined(__AVR__)

/*
 * ORs the entries of a row of the map into those at `to`, from the right end to the left.
 * rows: `height` rows of input under the kernel; table: the first. Returns where the tables for such rows end.
 * Bits of the rows are moved one after the other into the index: 3 rows take 15 cycles a column and 14 for 8 of them,
 * any other number 12 cycles a bit; a position takes 40 more with an entry of 2 bytes. X is `to`; Z reads rows and
 * tables in turn. Labels: 1 a column of three rows, 3 of any other number, 6 the entry of a position, 7 of other than
 * two bytes.
 */
EBNN_KERNEL const uint8_t *ebnn_table_row(const ebnn_plan_t *plan, const uint8_t *rows, uint8_t height,
                                          const uint8_t *table, uint8_t *to)
{
    const ebnn_run_t *run = (const ebnn_run_t *)(const void *)(plan + 1);
    const uint16_t row_bytes = EBNN_READ_U16(&plan->in_row_bytes);
    const uint16_t end = EBNN_READ_U16(&plan->end);
    const uint8_t entry_bytes = EBNN_READ_U8(&plan->entry_bytes);
    uint8_t runs = EBNN_READ_U8(&plan->kernel_runs);
    uint8_t top = 0, middle = 0, bottom = 0; /* the next bit of 3 rows highest */
    uint8_t bit = 1;                         /* of the rows' byte, read last */
    uint16_t index = 0;                      /* the columns that were read, the last one lowest */
    const uint8_t ways = (uint8_t)((height == 3u ? 1u : 0u) | (entry_bytes == 2u ? 2u : 0u)); /* the faster ones */

    rows += end;
    if (height != 3u)
        rows += height * row_bytes; /* the other way goes from the bottom up */

    for (; runs > 0; runs--, run++) {
        uint16_t count = EBNN_READ_U16(&run->count);
        const uint16_t mask = EBNN_READ_U16(table);
        uint8_t columns = EBNN_READ_U8(&run->first);
        uint8_t step = EBNN_READ_U8(&run->step);
        const uint8_t *from;

        table += 2;
        if (height == 0)
            columns = step = 0;
        __asm__ volatile("0: tst %[columns]\n\t"
                         "breq 6f\n\t"
                         "sbrs %[ways], 0\n\t"
                         "rjmp 3f\n"
                         "1: lsr %[bit]\n\t"
                         "brcc 2f\n\t"
                         "ror %[bit]\n\t"
                         "movw %A[from], %A[rows]\n\t"
                         "ld %[top], -%a[from]\n\t"
                         "movw %A[rows], %A[from]\n\t"
                         "add %A[from], %A[row_bytes]\n\t"
                         "adc %B[from], %B[row_bytes]\n\t"
                         "ld %[middle], %a[from]\n\t"
                         "add %A[from], %A[row_bytes]\n\t"
                         "adc %B[from], %B[row_bytes]\n\t"
                         "ld %[bottom], %a[from]\n"
                         "2: lsl %[bottom]\n\t"
                         "rol %A[index]\n\t"
                         "rol %B[index]\n\t"
                         "lsl %[middle]\n\t"
                         "rol %A[index]\n\t"
                         "rol %B[index]\n\t"
                         "lsl %[top]\n\t"
                         "rol %A[index]\n\t"
                         "rol %B[index]\n\t"
                         "dec %[columns]\n\t"
                         "brne 1b\n\t"
                         "rjmp 6f\n"
                         "3: movw %A[from], %A[rows]\n\t"
                         "lsr %[bit]\n\t"
                         "brcc 4f\n\t"
                         "ror %[bit]\n\t"
                         "sbiw %A[from], 1\n\t"
                         "movw %A[rows], %A[from]\n"
                         "4: mov %[top], %[height]\n"
                         "5: sub %A[from], %A[row_bytes]\n\t"
                         "sbc %B[from], %B[row_bytes]\n\t"
                         "ld __tmp_reg__, %a[from]\n\t"
                         "and __tmp_reg__, %[bit]\n\t"
                         "cp __zero_reg__, __tmp_reg__\n\t"
                         "rol %A[index]\n\t"
                         "rol %B[index]\n\t"
                         "dec %[top]\n\t"
                         "brne 5b\n\t"
                         "dec %[columns]\n\t"
                         "brne 3b\n"
                         "6: movw %A[from], %A[index]\n\t"
                         "and %A[from], %A[mask]\n\t"
                         "and %B[from], %B[mask]\n\t"
                         "sbrs %[ways], 1\n\t"
                         "rjmp 7f\n\t"
                         "lsl %A[from]\n\t"
                         "rol %B[from]\n\t"
                         "add %A[from], %A[table]\n\t"
                         "adc %B[from], %B[table]\n\t"
                         EBNN_AVR_READ " __tmp_reg__, %a[from]+\n\t"
                         EBNN_AVR_READ " %A[from], %a[from]\n\t"
                         "ld %B[from], %a[to]\n\t"
                         "or __tmp_reg__, %B[from]\n\t"
                         "st %a[to]+, __tmp_reg__\n\t"
                         "ld %B[from], %a[to]\n\t"
                         "or %A[from], %B[from]\n\t"
                         "st %a[to]+, %A[from]\n\t"
                         "rjmp 9f\n"
                         "7: mov %[columns], %B[from]\n\t"
                         "mul %A[from], %[entry]\n\t"
                         "movw %A[from], r0\n\t"
                         "mul %[columns], %[entry]\n\t"
                         "add %B[from], r0\n\t"
                         "add %A[from], %A[table]\n\t"
                         "adc %B[from], %B[table]\n\t"
                         "mov %[columns], %[entry]\n"
                         "8: " EBNN_AVR_READ " __tmp_reg__, %a[from]+\n\t"
                         "ld __zero_reg__, %a[to]\n\t"
                         "or __tmp_reg__, __zero_reg__\n\t"
                         "st %a[to]+, __tmp_reg__\n\t"
                         "dec %[columns]\n\t"
                         "brne 8b\n\t"
                         "clr __zero_reg__\n"
                         "9: mov %[columns], %[step]\n\t"
                         "sbiw %A[count], 1\n\t"
                         "breq 10f\n\t"
                         "rjmp 0b\n"
                         "10:"
                         : [index] "+&r"(index), [top] "+&r"(top), [middle] "+&r"(middle), [bottom] "+&r"(bottom),
                           [bit] "+&r"(bit), [rows] "+&r"(rows), [columns] "+&r"(columns), [to] "+&x"(to),
                           [count] "+&w"(count), [from] "=&z"(from)
                         : [height] "r"(height), [row_bytes] "r"(row_bytes), [step] "r"(step),
                           [mask] "r"(mask), [table] "r"(table), [entry] "r"(entry_bytes), [ways] "r"(ways)
                         : "memory");
        table += (size_t)entry_bytes * (mask + 1u);
    }
    return table;
}

/*
 * Pools entries of a run of windows into bits of a row. Moved by a multiplication, as AVR shifts by one bit at a time.
 * 8 cycles an entry's byte, about 25 an output byte and 15 a pixel.
 */
EBNN_INLINE const uint8_t *ebnn_pool_run(const uint8_t *from, const ebnn_run_t *run, ebnn_pooling_t *pooling)
{
    const uint16_t step = EBNN_READ_U16(&run->step);
    const uint8_t size = EBNN_READ_U8(&run->size);
    uint16_t count = EBNN_READ_U16(&run->count);
    const uint16_t back = (uint16_t)(step + pooling->entry_bytes);
    const uint8_t *at;
    uint8_t bits, left, byte;

    __asm__ volatile("0: mov %[byte], %[entry]\n"
                     "1: movw %A[at], %A[from]\n\t"
                     "mov %[left], %[size]\n\t"
                     "clr %[bits]\n"
                     "2: ld __tmp_reg__, %a[at]\n\t"
                     "or %[bits], __tmp_reg__\n\t"
                     "add %A[at], %[entry]\n\t"
                     "adc %B[at], __zero_reg__\n\t"
                     "dec %[left]\n\t"
                     "brne 2b\n\t"
                     "movw %A[at], %A[flips]\n\t"
                     "adiw %A[at], 0\n\t"
                     "brne 6f\n"
                     "3: mul %[bits], %[place]\n\t"
                     "or %[pending], r0\n\t"
                     "st %a[row]+, %[pending]\n\t"
                     "mov %[bits], %[pending]\n\t"
                     "mov %[pending], r1\n\t"
                     "clr __zero_reg__\n\t"
                     "adiw %A[from], 1\n\t"
                     "dec %[byte]\n\t"
                     "brne 1b\n\t"
                     "tst %[turn]\n\t"
                     "breq 5f\n\t"
                     "mul %[place], %[turn]\n\t"
                     "mov %[place], r1\n\t"
                     "cpse %[place], %[byte]\n\t"
                     "rjmp 4f\n\t"
                     "mov %[place], r0\n\t"
                     "mov %[pending], %[bits]\n\t"
                     "sbiw %A[row], 1\n"
                     "4: clr __zero_reg__\n"
                     "5: sub %A[from], %A[back]\n\t"
                     "sbc %B[from], %B[back]\n\t"
                     "subi %A[count], 1\n\t"
                     "sbci %B[count], 0\n\t"
                     "brne 0b\n\t"
                     "rjmp 7f\n"
                     "6: add %A[at], %[entry]\n\t" /* the flips of this byte */
                     "adc %B[at], __zero_reg__\n\t"
                     "sub %A[at], %[byte]\n\t"
                     "sbc %B[at], __zero_reg__\n\t"
                     EBNN_AVR_READ " __tmp_reg__, %a[at]\n\t"
                     "eor %[bits], __tmp_reg__\n\t"
                     "rjmp 3b\n"
                     "7:"
                     : [from] "+&w"(from), [row] "+&x"(pooling->row), [count] "+&d"(count),
                       [place] "+&r"(pooling->place), [pending] "+&r"(pooling->pending), [at] "=&z"(at),
                       [bits] "=&r"(bits), [left] "=&r"(left), [byte] "=&r"(byte)
                     : [back] "r"(back), [size] "r"(size), [entry] "r"(pooling->entry_bytes), [turn] "r"(pooling->turn),
                       [flips] "r"(pooling->flips)
                     : "memory");
    return from + step;
}

#endif

#endif
