/* An AVR board: libsimavr's microcontroller, its UART 0 at the far end of a terminal.
 *
 *   board MCU CLOCK_HZ CONTROL IMAGE EEPROM START DATA_END PLUGGED [FUNCTION ...]
 *
 * CONTROL    a socket: takes the lines "reset", "statistics" and "quit", answers each with a line of JSON, and says
 *            with one more that the board is ready, or why it crashed
 * IMAGE      a file descriptor: the flash's content from address 0 on
 * EEPROM     a file descriptor: the EEPROM, byte by byte as it is written; what the file lacks is erased
 * START      where the microcontroller starts; not 0 where a bootloader lies there
 * DATA_END   end of the program's data in RAM, where the stack must not reach; 0 if unknown
 * PLUGGED    1: the board stays when the terminal's other side is closed, and is reset when it is opened again
 * FUNCTION   a function's address, whose calls are counted and timed
 *
 * The terminal is file descriptor 0. The program ends when CONTROL is closed, and, unless it is plugged in, when the
 * terminal is. Time runs as fast as the machine can while the program computes or bytes are on the wire; a program that
 * only waits, and a bootloader that waits for bytes, have the clock of the wall.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <simavr/avr_eeprom.h>
#include <simavr/avr_timer.h>
#include <simavr/avr_uart.h>
#include <simavr/avr_watchdog.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_core.h>

#define DATA_BYTES 0x10000u       /* every address that an instruction can name: a stray one hits no other memory */
#define FLASH_BYTES 0x1000000u    /* likewise, for LPM and SPM */
#define PROGRAM_WORDS 0x400000u   /* likewise, for jumps */
#define ATTEND_CYCLES 20000u      /* how often a busy board looks at its descriptors */
#define LONGEST_LOOP 2000         /* instructions of a loop that waits */
#define LOOKS 6                   /* at an instruction of it, until they start anew */
#define SETTLING_CYCLES 200u      /* from the end of an interrupt until the program may wait again */
#define SHORTEST_LEAD_NS 1000000  /* of a waiting program over the wall's clock, that is slept away */
#define LONGEST_LEAD_NS 50000000  /* likewise; a longer one is of the time when it did not wait */
#define JUMP_TO_ITSELF 0xCFFFu
#define SETTLING 3                /* instructions from the write of one half of the stack pointer to the other's */
#define ABSENT_MS 20              /* how often it is looked whether the terminal is opened */
#define FUNCTIONS 16
#define CALLS 64

enum { PLAIN = 0, ENTRY = 1, ERASED = 2 };

struct function {
    uint32_t address;
    uint64_t calls;
    uint64_t last, least, most, total; /* cycles, without interrupts */
    uint64_t elapsed;                  /* cycles of all calls, with interrupts */
};

struct call {
    struct function *function;
    uint16_t sp; /* before its first instruction */
    uint64_t cycle;
    uint64_t interrupted;
};

static avr_t *mcu;
static avr_uart_t *uart;
static avr_irq_t *uart_input;
static avr_run_t usual_run;
static uint32_t clock_hz;
static uint32_t start;
static uint16_t data_end;
static int plugged;

static int control;
static int terminal;
static uint8_t input[4096];
static size_t input_at, input_count;
static uint8_t output[16384];
static size_t output_count;
static uint64_t bytes_sent;
static int room; /* whether the UART takes a byte */

static uint8_t marks[PROGRAM_WORDS];
static struct function functions[FUNCTIONS];
static int function_count;
static struct call calls[CALLS];
static int depth;

static uint64_t reset_cycle;
static uint64_t next_attend;
static uint16_t sp, lowest_sp;
static int settling;
static int nested; /* interrupts under way */
static uint64_t interrupt_start;
static uint64_t interrupted; /* cycles spent in interrupts since the reset */
static int held;             /* whether interrupts wait */
static int waiting;          /* whether it is worth while to see if the program only waits */

/* The first peripheral of a kind from there on. */
static avr_io_t *find_port(avr_io_t *port, const char *kind)
{
    while (port != NULL && strcmp(port->kind, kind) != 0) {
        port = port->next;
    }
    return port;
}

/* ---- words to the other side ---- */

static void say(const char *line, size_t count)
{
    size_t done = 0;

    while (done < count) {
        ssize_t written = write(control, line + done, count - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno != EINTR) {
            exit(0);
        }
    }
}

/* Sends what the terminal takes at once. */
static void flush(void)
{
    size_t done = 0;

    while (done < output_count) {
        ssize_t written = write(terminal, output + done, output_count - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written == 0 || errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            done = output_count; /* nobody is there */
        }
    }
    memmove(output, output + done, output_count - done);
    output_count -= done;
}

static _Noreturn void crash(const char *reason, uint32_t address)
{
    char line[200];
    int count = snprintf(line, sizeof line,
                         "{\"event\": \"crash\", \"reason\": \"%s\", \"address\": %" PRIu32 ", \"pc\": %" PRIu32
                         ", \"sp\": %" PRIu16 "}\n",
                         reason, address, mcu == NULL ? 0u : mcu->pc, sp);
    flush();
    say(line, (size_t)count);
    exit(0);
}

static void say_statistics(void)
{
    char line[512];
    int i;
    int count = snprintf(line, sizeof line,
                         "{\"event\": \"statistics\", \"cycles\": %" PRIu64 ", \"interrupt_cycles\": %" PRIu64
                         ", \"deepest_stack\": %d, \"functions\": [",
                         mcu->cycle - reset_cycle, interrupted + (nested ? mcu->cycle - interrupt_start : 0u),
                         mcu->ramend - lowest_sp);
    say(line, (size_t)count);
    for (i = 0; i < function_count; i++) {
        const struct function *f = &functions[i];
        count = snprintf(line, sizeof line,
                         "%s{\"calls\": %" PRIu64 ", \"last_cycles\": %" PRIu64 ", \"least_cycles\": %" PRIu64
                         ", \"most_cycles\": %" PRIu64 ", \"total_cycles\": %" PRIu64 ", \"elapsed_cycles\": %" PRIu64
                         "}",
                         i == 0 ? "" : ", ", f->calls, f->last, f->least, f->most, f->total, f->elapsed);
        say(line, (size_t)count);
    }
    say("]}\n", 3);
}

/* ---- reset ---- */

static void begin(void)
{
    int i;

    reset_cycle = mcu->cycle;
    sp = lowest_sp = mcu->ramend;
    settling = 0;
    depth = 0;
    nested = 0;
    interrupted = 0;
    room = 0;
    waiting = 1;
    next_attend = mcu->cycle;
    for (i = 0; i < function_count; i++) {
        functions[i] = (struct function){.address = functions[i].address};
    }
}

static void press_reset(void)
{
    avr_reset(mcu);
    avr_regbit_set(mcu, mcu->reset_flags.extrf);
    begin();
}

/* ---- the wire ---- */

/* The UART has been read empty: the next byte takes its time from now on. */
static void feed(void)
{
    if (room && input_at < input_count && avr_regbit_get(mcu, uart->rxen)) {
        room = 0;
        avr_raise_irq(uart_input, input[input_at++]);
    }
}

static void on_room(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)value, (void)param;
    room = 1;
    feed();
}

static void on_output(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    if (output_count < sizeof output) { /* attend() sees to it that there is room */
        output[output_count++] = (uint8_t)value;
    }
    bytes_sent++;
}

static int wire_is_busy(void)
{
    return input_at < input_count || uart->input.read != uart->input.write || uart->tx_cnt != 0;
}

static void obey(const char *line)
{
    if (strcmp(line, "reset") == 0) {
        while (read(terminal, input, sizeof input) > 0) {
            /* what comes during a reset is lost */
        }
        input_at = input_count = 0;
        output_count = 0;
        press_reset();
        say("{\"event\": \"reset\"}\n", 19);
    } else if (strcmp(line, "statistics") == 0) {
        flush();
        say_statistics();
    } else if (strcmp(line, "quit") == 0) {
        exit(0);
    }
}

static void listen_to_control(void)
{
    static char line[64];
    static size_t count;
    char bytes[64];
    ssize_t i, taken = read(control, bytes, sizeof bytes);

    if (taken < 0 && errno == EINTR) {
        return;
    }
    if (taken <= 0) {
        exit(0);
    }
    for (i = 0; i < taken; i++) {
        if (bytes[i] == '\n') {
            line[count] = 0;
            obey(line);
            count = 0;
        } else if (count < sizeof line - 1) {
            line[count++] = bytes[i];
        }
    }
}

/* Time stands still until the terminal is closed, or until it is open. */
static void wait_until(int open)
{
    for (;;) {
        struct pollfd here[2] = {{control, POLLIN, 0}, {terminal, 0, 0}};
        (void)poll(&here[1], 1, 0);
        if (((here[1].revents & POLLHUP) == 0) == open) {
            break;
        }
        (void)poll(here, 1, ABSENT_MS);
        if (here[0].revents != 0) {
            listen_to_control();
        }
    }
}

/* Nobody has the terminal open. */
static void wait_for_somebody(void)
{
    while (read(terminal, input, sizeof input) > 0) {
        /* nobody's bytes any more */
    }
    wait_until(1);
    input_at = input_count = 0;
    output_count = 0;
    press_reset();
}

static void attend_once(const struct timespec *wait)
{
    struct pollfd here[2] = {{control, POLLIN, 0}, {terminal, 0, 0}};
    int reading = input_at == input_count;

    here[1].events = (short)((reading ? POLLIN : 0) | (output_count != 0 ? POLLOUT : 0));
    if (ppoll(here, 2, wait, NULL) <= 0) {
        return;
    }
    if (here[0].revents != 0) {
        listen_to_control();
    }
    if (here[1].revents & POLLHUP) {
        if (!plugged) {
            exit(0);
        }
        wait_for_somebody();
    } else if (reading && (here[1].revents & POLLIN)) {
        ssize_t taken = read(terminal, input, sizeof input);
        if (taken > 0) {
            input_at = 0;
            input_count = (size_t)taken;
            feed();
        }
    }
}

/* Sees to control and terminal, waiting up to so many nanoseconds for them; if the terminal is full, until it takes
 * what the board has sent. */
static void attend(int64_t wait_ns)
{
    struct timespec wait = {(time_t)(wait_ns / 1000000000), (long)(wait_ns % 1000000000)};

    flush();
    attend_once(&wait);
    while (output_count > sizeof output / 2u) {
        attend_once(NULL);
        flush();
    }
    next_attend = mcu->cycle + ATTEND_CYCLES;
}

static int64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t ns_of(uint64_t cycles)
{
    return (int64_t)((double)cycles * 1e9 / clock_hz);
}

/* ---- one instruction ---- */

/* The stack pointer is written in two halves; only the whole counts. */
static void stack_moved(uint16_t now)
{
    if (now != sp && (now & 0xFF) == (sp & 0xFF) && settling == 0) {
        settling = SETTLING;
        return;
    }
    if (settling > 0 && (now & 0xFF) == (sp & 0xFF) && --settling > 0) {
        return;
    }
    settling = 0;
    sp = now;
    if (sp < lowest_sp) {
        lowest_sp = sp;
        if (data_end != 0 && (uint32_t)sp + 1u < data_end) {
            crash("stack", data_end);
        }
    }
    while (depth > 0 && sp > calls[depth - 1].sp) {
        struct call *call = &calls[--depth];
        struct function *f = call->function;
        uint64_t elapsed = mcu->cycle - call->cycle;

        f->last = elapsed - (interrupted - call->interrupted);
        f->least = f->calls == 0 || f->last < f->least ? f->last : f->least;
        f->most = f->last > f->most ? f->last : f->most;
        f->total += f->last;
        f->elapsed += elapsed;
        f->calls++;
    }
}

static void marked(uint8_t mark)
{
    int i;

    if (mark == ERASED) {
        crash("erased", mcu->pc);
    }
    for (i = 0; i < function_count; i++) {
        struct function *f = &functions[i];
        /* A jump back to the first instruction is no call. */
        if (f->address == mcu->pc && depth < CALLS &&
            (depth == 0 || calls[depth - 1].function != f || calls[depth - 1].sp != sp)) {
            calls[depth++] = (struct call){f, sp, mcu->cycle, interrupted};
        }
    }
}

static void stopped(void)
{
    if (mcu->state == cpu_Sleeping) {
        if (!mcu->sreg[S_I]) {
            crash("sleep", mcu->pc);
        }
    } else {
        crash("jump", mcu->pc);
    }
}

static void serve_interrupts(void)
{
    uint8_t before = mcu->interrupts.running_ptr;
    uint64_t cycle = mcu->cycle;

    avr_service_interrupts(mcu);
    if (mcu->interrupts.running_ptr > before) {
        /* The hardware takes 4 cycles to get to the vector, 5 where addresses have 3 bytes. */
        mcu->cycle += mcu->address_size + 2u;
        if (before == 0) {
            interrupt_start = cycle;
        }
    }
}

static void process_timers(void)
{
    (void)avr_cycle_timer_process(mcu);
    if (mcu->run != usual_run) { /* the watchdog bites */
        mcu->run(mcu);
        begin();
    }
}

static inline void step(void)
{
    uint16_t now;
    uint8_t mark;

    mcu->run_cycle_count = 0; /* one instruction */
    mcu->pc = avr_run_one(mcu);
    now = (uint16_t)(mcu->data[R_SPL] | mcu->data[R_SPH] << 8);
    if (now != sp || settling) {
        stack_moved(now);
    }
    if (mcu->cycle_timers.timer != NULL && mcu->cycle_timers.timer->when <= mcu->cycle) {
        process_timers();
    }
    if (mcu->interrupt_state != 0 && !held) {
        serve_interrupts();
    }
    if (mcu->interrupts.running_ptr != nested) {
        if (mcu->interrupts.running_ptr == 0) {
            interrupted += mcu->cycle - interrupt_start;
            waiting = 1;
        }
        nested = mcu->interrupts.running_ptr;
    }
    mark = marks[(mcu->pc >> 1) % PROGRAM_WORDS];
    if (mark != PLAIN) {
        marked(mark);
    }
    if (mcu->state != cpu_Running) {
        stopped();
    }
}

/* ---- waiting ---- */

static uint16_t opcode_at(uint32_t pc)
{
    return (uint16_t)(mcu->flash[pc] | mcu->flash[pc + 1u] << 8);
}

/* A moment, to compare another one with. */
static struct {
    uint64_t cycle;
    uint64_t bytes_sent;
    uint8_t data[DATA_BYTES];
    uint8_t sreg[8];
    avr_cycle_timer_slot_t timers[MAX_CYCLE_TIMERS];
    int timer_count;
} moment;

static void keep_moment(void)
{
    const avr_cycle_timer_slot_t *slot;

    moment.cycle = mcu->cycle;
    moment.bytes_sent = bytes_sent;
    memcpy(moment.data, mcu->data, (size_t)mcu->ramend + 1u);
    memcpy(moment.sreg, mcu->sreg, sizeof moment.sreg);
    moment.timer_count = 0;
    for (slot = mcu->cycle_timers.timer; slot != NULL; slot = slot->next) {
        moment.timers[moment.timer_count++] = *slot;
    }
}

/* Whether the peripherals have gone on by themselves since then: each timer as it was, or due since, and no new one. */
static int left_alone(void)
{
    const avr_cycle_timer_slot_t *slot;
    int i, kept = 0, due = 0;

    if (bytes_sent != moment.bytes_sent) {
        return 0;
    }
    for (slot = mcu->cycle_timers.timer; slot != NULL; slot = slot->next) {
        for (i = 0; i < moment.timer_count; i++) {
            const avr_cycle_timer_slot_t *before = &moment.timers[i];
            if (before->timer == slot->timer && before->param == slot->param) {
                if (before->when != slot->when && before->when > mcu->cycle) {
                    return 0;
                }
                break;
            }
        }
        if (i == moment.timer_count) {
            return 0;
        }
        kept++;
    }
    for (i = 0; i < moment.timer_count; i++) {
        due += moment.timers[i].when <= mcu->cycle;
    }
    return kept + due >= moment.timer_count;
}

/* Cycles of the loop that the program is in, if all that it does is to wait for an interrupt or a byte: it comes back
 * to the same instruction with the same registers and memory, and has left the peripherals alone. 0 otherwise. */
static uint64_t period_of_waiting(void)
{
    uint32_t pc = mcu->pc;
    uint64_t begun = mcu->cycle;
    int i, looks = 0;

    if (nested != 0 || settling || mcu->state != cpu_Running) {
        return 0;
    }
    keep_moment();
    for (i = 0; i < LONGEST_LOOP; i++) {
        step();
        if (nested != 0 || reset_cycle > begun || mcu->state != cpu_Running) {
            return 0;
        }
        if (mcu->pc == pc) {
            if (memcmp(moment.data, mcu->data, (size_t)mcu->ramend + 1u) == 0 &&
                memcmp(moment.sreg, mcu->sreg, sizeof moment.sreg) == 0 && left_alone()) {
                return mcu->cycle - moment.cycle;
            }
            if (++looks == LOOKS) { /* the loop may have begun only now */
                looks = 0;
                keep_moment();
            }
        }
    }
    return 0;
}

/* Passes the time that a loop of so many cycles waits, but for the last round up to the next interrupt, change of a
 * peripheral, or look at the descriptors. */
static void pass_rounds(uint64_t period)
{
    uint64_t begun = mcu->cycle, end = begun + ATTEND_CYCLES;
    const uint8_t *before = moment.data + 32, *io = mcu->data + 32;

    while (mcu->interrupt_state == 0 && !avr_has_pending_interrupts(mcu) && reset_cycle <= begun &&
           memcmp(before, io, mcu->ioend - 31u) == 0 && mcu->cycle < end) {
        const avr_cycle_timer_slot_t *slot = mcu->cycle_timers.timer;
        if (slot == NULL || slot->when >= end) {
            mcu->cycle = end;
        } else {
            mcu->cycle = slot->when > mcu->cycle ? slot->when : mcu->cycle;
            process_timers();
        }
    }
    if (reset_cycle <= begun) {
        /* The last round, as far as it goes: an interrupt meets the program where it then is. */
        end = mcu->cycle;
        mcu->cycle = end - (end - begun) % period;
        held = 1;
        while (mcu->cycle < end && mcu->state == cpu_Running) {
            step();
        }
        held = 0;
        if (mcu->interrupt_state != 0) {
            serve_interrupts();
            nested = mcu->interrupts.running_ptr;
        }
    }
}

/* Keeps what waits from running ahead of the wall's clock. */
static void keep_pace(void)
{
    static int64_t wall;
    static uint64_t cycle;
    int64_t ahead;

    if (wire_is_busy()) {
        return;
    }
    ahead = ns_of(mcu->cycle - cycle) - (now_ns() - wall);
    if (ahead < 0 || ahead > LONGEST_LEAD_NS) {
        wall = now_ns();
        cycle = mcu->cycle;
    } else if (ahead > SHORTEST_LEAD_NS) {
        attend(ahead);
    }
}

static int watchdog_is_on(void)
{
    const avr_watchdog_t *watchdog = (avr_watchdog_t *)find_port(mcu->io_port, "watchdog");

    return watchdog != NULL && avr_regbit_get(mcu, watchdog->wde);
}

/* Lets the time pass that a waiting program waits, up to the next interrupt or byte. */
static void pass_waiting(void)
{
    uint64_t period;

    waiting = 0;
    while ((period = period_of_waiting()) != 0) {
        if (!mcu->sreg[S_I] && opcode_at(mcu->pc) == JUMP_TO_ITSELF && !watchdog_is_on()) {
            crash("halted", mcu->pc);
        }
        pass_rounds(period);
        keep_pace();
        if (mcu->cycle >= next_attend) {
            attend(0);
        }
    }
}

static void pass_sleep(void)
{
    const avr_cycle_timer_slot_t *slot = mcu->cycle_timers.timer;

    mcu->cycle = slot == NULL ? mcu->cycle + ATTEND_CYCLES : slot->when > mcu->cycle ? slot->when : mcu->cycle;
    process_timers();
    if (mcu->interrupt_state != 0) {
        serve_interrupts();
    }
    nested = mcu->interrupts.running_ptr;
    keep_pace();
}

static void run(void)
{
    for (;;) {
        if (mcu->state == cpu_Sleeping) {
            pass_sleep();
        } else if (waiting) {
            /* After an interrupt a waiting program is given some loops to see that there is nothing to do. */
            uint64_t due = mcu->cycle + SETTLING_CYCLES;
            while (mcu->cycle < due && mcu->state == cpu_Running) {
                step();
            }
            pass_waiting();
        } else {
            while (mcu->cycle < next_attend && !waiting && mcu->state == cpu_Running) {
                step();
            }
        }
        if (mcu->cycle >= next_attend) {
            attend(0);
            waiting = 1;
            if (start != 0 && mcu->pc >= start) {
                keep_pace(); /* a bootloader counts loops until it gives up */
            }
        }
    }
}

/* ---- start ---- */

static void log_of_simavr(struct avr_t *avr, const int level, const char *format, va_list arguments)
{
    char text[200];
    const char *address;

    if (avr == NULL || avr != mcu || level > LOG_ERROR) {
        return;
    }
    (void)vsnprintf(text, sizeof text, format, arguments);
    address = strstr(text, "Address ");
    if (strstr(text, "Invalid Opcode") != NULL) {
        crash("opcode", opcode_at(mcu->pc));
    } else if (strstr(text, "Invalid write") != NULL) {
        crash("write", address == NULL ? 0u : (uint32_t)strtoul(address + 8, NULL, 16));
    } else if (strstr(text, "Invalid read") != NULL) {
        crash("read", address == NULL ? 0u : (uint32_t)strtoul(address + 8, NULL, 16));
    }
}

static void load(int image)
{
    uint8_t *flash = calloc(FLASH_BYTES + 4u, 1);
    uint8_t *data = calloc(DATA_BYTES, 1);
    size_t size = (size_t)mcu->flashend + 1u, done = 0, i;

    if (flash == NULL || data == NULL) {
        crash("memory", 0);
    }
    memset(flash, 0xFF, size);
    memcpy(data, mcu->data, (size_t)mcu->ramend + 1u);
    free(mcu->flash);
    free(mcu->data);
    mcu->flash = flash;
    mcu->data = data;
    while (done < size) {
        ssize_t taken = pread(image, flash + done, size - done, (off_t)done);
        if (taken <= 0) {
            break;
        }
        done += (size_t)taken;
    }
    if (start == 0) { /* no bootloader that programs the flash */
        for (i = 0; i < size; i += 2) {
            marks[i / 2] = flash[i] == 0xFF && flash[i + 1] == 0xFF ? ERASED : PLAIN;
        }
    }
}

/* Whenever the board ends, the file has what was written until then. */
static void map_eeprom(int file)
{
    avr_eeprom_t *eeprom = (avr_eeprom_t *)find_port(mcu->io_port, "eeprom");
    struct stat facts;
    uint8_t *content;

    if (eeprom == NULL) {
        return;
    }
    memset(eeprom->eeprom, 0xFF, eeprom->size);
    if (fstat(file, &facts) != 0) {
        crash("memory", 0);
    }
    if (facts.st_size < eeprom->size) {
        size_t missing = (size_t)(eeprom->size - facts.st_size);
        if (pwrite(file, eeprom->eeprom, missing, facts.st_size) != (ssize_t)missing) {
            crash("memory", 0);
        }
    }
    content = mmap(NULL, eeprom->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (content == MAP_FAILED) {
        crash("memory", 0);
    }
    free(eeprom->eeprom);
    eeprom->eeprom = content;
}

/* libsimavr 1.6 lacks the ATmega2560's 8-bit phase-correct PWM, into which the Arduino core puts all timers but one,
 * and lets those overflow at each tick. */
static void complete_timers(void)
{
    avr_io_t *port;

    for (port = find_port(mcu->io_port, "timer"); port != NULL; port = find_port(port->next, "timer")) {
        avr_timer_wgm_t *mode = &((avr_timer_t *)port)->wgm_op[1];
        if (mode->kind == avr_timer_wgm_none) {
            *mode = (avr_timer_wgm_t)AVR_TIMER_WGM_FCPWM8();
        }
    }
}

int main(int count, char **values)
{
    uint32_t none = 0;
    int i;

    if (count < 9) {
        return 2;
    }
    clock_hz = (uint32_t)strtoul(values[2], NULL, 0);
    control = atoi(values[3]);
    start = (uint32_t)strtoul(values[6], NULL, 0);
    data_end = (uint16_t)strtoul(values[7], NULL, 0);
    plugged = atoi(values[8]);
    terminal = dup(0);
    (void)dup2(2, 1); /* what libsimavr prints is no byte from the board */
    (void)fcntl(terminal, F_SETFL, fcntl(terminal, F_GETFL) | O_NONBLOCK);

    avr_global_logger_set(log_of_simavr);
    mcu = avr_make_mcu_by_name(values[1]);
    if (mcu == NULL) {
        crash("mcu", 0);
    }
    (void)avr_init(mcu);
    mcu->frequency = clock_hz;
    mcu->reset_pc = start;
    uart = (avr_uart_t *)find_port(mcu->io_port, "uart");
    while (uart != NULL && uart->name != '0') {
        uart = (avr_uart_t *)find_port(uart->io.next, "uart");
    }
    if (uart == NULL) {
        crash("uart", 0);
    }
    complete_timers();
    load(atoi(values[4]));
    map_eeprom(atoi(values[5]));
    for (i = 9; i < count && function_count < FUNCTIONS; i++) {
        uint32_t address = (uint32_t)strtoul(values[i], NULL, 0);
        functions[function_count++].address = address;
        marks[(address >> 1) % PROGRAM_WORDS] = ENTRY;
    }
    usual_run = mcu->run;
    (void)avr_ioctl(mcu, AVR_IOCTL_UART_SET_FLAGS('0'), &none);
    uart_input = avr_io_getirq(mcu, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT);
    avr_irq_register_notify(avr_io_getirq(mcu, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON), on_room, NULL);
    avr_irq_register_notify(avr_io_getirq(mcu, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT), on_output, NULL);
    press_reset();
    say("{\"event\": \"ready\"}\n", 19);
    if (plugged) {
        wait_until(0);
        say("{\"event\": \"closed\"}\n", 20);
        wait_for_somebody();
    }
    run();
}
