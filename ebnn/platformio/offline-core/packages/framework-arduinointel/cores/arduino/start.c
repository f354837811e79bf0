/* From reset to the sketch: vectors, stack, variables, constructors, setup, loop. */
#include "Arduino.h"

extern uint32_t core_data_start[], core_data_end[], core_bss_start[], core_bss_end[];
extern const uint32_t core_data_load[];
extern void (*const core_constructors_start[])(void);
extern void (*const core_constructors_end[])(void);

void core_start(void);
void core_reset(void);
void core_fault(void);

/* The first instruction: there is no stack yet. */
__asm__(".section .text.core_reset, \"ax\"\n"
        ".global core_reset\n"
        "core_reset:\n"
        "    mov %sp, core_stack_top\n"
        "    mov %fp, 0\n"
        "    b core_start\n"
        ".text\n");

void core_fault(void)
{
    for (;;) {
    }
}

#define FAULTS_4 core_fault, core_fault, core_fault, core_fault
#define FAULTS_16 FAULTS_4, FAULTS_4, FAULTS_4, FAULTS_4

/* Reset, 15 exceptions, 52 interrupts: none is used. */
__attribute__((section(".vectors"), used)) static void (*const vectors[68])(void) = {
    core_reset, core_fault, core_fault, core_fault, FAULTS_16, FAULTS_16, FAULTS_16, FAULTS_16
};

void core_start(void)
{
    const uint32_t *from = core_data_load;
    uint32_t *to;
    void (*const *constructor)(void);

    for (to = core_data_start; to < core_data_end; to++) {
        *to = *from++;
    }
    for (to = core_bss_start; to < core_bss_end; to++) {
        *to = 0;
    }
    for (constructor = core_constructors_start; constructor < core_constructors_end; constructor++) {
        (*constructor)();
    }
    setup();
    for (;;) {
        loop();
    }
}
