/* This computer's part, in place of the Arduino core: bytes in on file descriptor 0, out on 1, the time from the
 * system.
 *
 * The program ends when the other side of the pseudo terminal is closed. SIGUSR1 is the reset button: the program
 * starts again from its first instruction, whatever it was doing, on the same terminal.
 *
 * Updatable firmware takes two arguments: the file that keeps pushed networks, and after how many bytes that are
 * written there the power fails. Without the first, they are gone after a reset.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <ebnn.h> /* so that PlatformIO finds the library wherever network.h lies */

#include "responder.h"
#ifdef EBNN_UPDATABLE
#include "file_store.h"
#endif

static uint8_t output[1024];
static size_t output_count;
static char **arguments;

static void flush(void)
{
    size_t done = 0;

    while (done < output_count) {
        ssize_t count = write(1, output + done, output_count - done);
        if (count >= 0) {
            done += (size_t)count;
        } else if (errno != EINTR) {
            exit(0);
        }
    }
    output_count = 0;
}

void ebnn_port_put(uint8_t byte)
{
    if (output_count == sizeof output) {
        flush();
    }
    output[output_count] = byte;
    output_count++;
}

uint32_t ebnn_port_micros(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000000u + (uint32_t)(now.tv_nsec / 1000);
}

/* The system's memory tells nothing about a board's. */
void ebnn_port_memory(uint32_t *untouched, uint32_t *deepest_stack)
{
    *untouched = EBNN_UNTOLD;
    *deepest_stack = EBNN_UNTOLD;
}

/* The signal stays blocked across execv, so that a second press waits until the program can take it. */
static void press_reset(int number)
{
    (void)number;
    (void)execv(arguments[0], arguments);
    _exit(1);
}

int main(int count, char **values)
{
    static uint8_t input[4096];
    struct sigaction action;
    sigset_t reset;

    (void)count;
    arguments = values;
    action.sa_handler = press_reset;
    action.sa_flags = 0;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)sigemptyset(&reset);
    (void)sigaddset(&reset, SIGUSR1);
    (void)sigprocmask(SIG_UNBLOCK, &reset, NULL);
#ifdef EBNN_UPDATABLE
    ebnn_file_store_open(count > 1 ? values[1] : NULL, count > 2 ? strtoul(values[2], NULL, 10) : 0u);
    ebnn_responder_reset();
#endif

    for (;;) {
        ssize_t taken = read(0, input, sizeof input);
        ssize_t i;

        if (taken < 0 && errno == EINTR) {
            continue;
        }
        if (taken <= 0) {
            return 0;
        }
        for (i = 0; i < taken; i++) {
            ebnn_responder_take(input[i]);
        }
        flush();
    }
}
