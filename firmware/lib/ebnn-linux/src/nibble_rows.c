/* nibble_rows.c - the table of nibble_rows.h. */
#include "nibble_rows.h"

#ifdef EBNN_LINUX_X86
#define ONES(x) (((x) & 1) + ((x) >> 1 & 1) + ((x) >> 2 & 1) + ((x) >> 3 & 1))
#define FOUR(m, a, w) \
    ONES(((a) ^ (w)) & (m)), ONES(((a) ^ (w + 1)) & (m)), ONES(((a) ^ (w + 2)) & (m)), ONES(((a) ^ (w + 3)) & (m))
#define ROW(m, a) {FOUR(m, a, 0), FOUR(m, a, 4), FOUR(m, a, 8), FOUR(m, a, 12)}
#define ROWS(m)                                                                                                   \
    ROW(m, 0), ROW(m, 1), ROW(m, 2), ROW(m, 3), ROW(m, 4), ROW(m, 5), ROW(m, 6), ROW(m, 7), ROW(m, 8), ROW(m, 9), \
        ROW(m, 10), ROW(m, 11), ROW(m, 12), ROW(m, 13), ROW(m, 14), ROW(m, 15)

const uint8_t ebnn_linux_rows[256][16]
    __attribute__((aligned(64))) = {ROWS(0), ROWS(1), ROWS(2),  ROWS(3),  ROWS(4),  ROWS(5),  ROWS(6),  ROWS(7),
                                    ROWS(8), ROWS(9), ROWS(10), ROWS(11), ROWS(12), ROWS(13), ROWS(14), ROWS(15)};

void ebnn_linux_choose_rows(const ebnn_linux_bits_t *job)
{
    uint16_t *rows = (uint16_t *)job->operands;
    uint32_t p;
    size_t k;

    for (p = 0; p < job->count; p++, rows += 2 * job->bytes) {
        const uint8_t *patch = job->patches + p * job->patch_stride;

        if (job->masks) {
            const uint8_t *mask = job->masks + p * job->patch_stride;

            for (k = 0; k < job->bytes; k++) {
                rows[2 * k] = (uint16_t)((mask[k] & 15) << 8 | (patch[k] & 15) << 4);
                rows[2 * k + 1] = (uint16_t)((mask[k] >> 4) << 8 | (patch[k] & 0xF0));
            }
        } else {
            for (k = 0; k < job->bytes; k++) {
                rows[2 * k] = (uint16_t)(0xF00 | (patch[k] & 15) << 4);
                rows[2 * k + 1] = (uint16_t)(0xF00 | (patch[k] & 0xF0));
            }
        }
    }
}
#else
typedef int ebnn_linux_no_rows;
#endif
