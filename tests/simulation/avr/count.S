; Functions whose cycles and stack are counted by hand, from the instruction set manual.
#include <avr/io.h>

.global main
.global work
.global leaf
.global TIMER0_OVF_vect

#ifndef CALLS
#define CALLS 3
#endif

; Cycles                      ATmega328P  ATmega2560 (return addresses of 3 bytes)
leaf:
    nop                     ; 1           1
    push r0                 ; 2           2
    pop r0                  ; 2           2
    ret                     ; 4           5

work:
    push r16                ; 2           2
    push r17                ; 2           2
    ldi r24, 10             ; 1           1
1:  dec r24                 ; 10 * 1      10 * 1
    brne 1b                 ; 9 * 2 + 1   9 * 2 + 1
    call leaf               ; 4 + 9       5 + 10
    pop r17                 ; 2           2
    pop r16                 ; 2           2
    ret                     ; 4           5

; Lets the half-written stack pointer point into the program's data on the way to a frame of 300 bytes, as avr-gcc does.
frame:
    in r28, _SFR_IO_ADDR(SPL)
    in r29, _SFR_IO_ADDR(SPH)
    subi r28, lo8(300)
    sbci r29, hi8(300)
    in r0, _SFR_IO_ADDR(SREG)
    cli
    out _SFR_IO_ADDR(SPH), r29
    out _SFR_IO_ADDR(SREG), r0
    out _SFR_IO_ADDR(SPL), r28
    subi r28, lo8(-300)
    sbci r29, hi8(-300)
    in r0, _SFR_IO_ADDR(SREG)
    cli
    out _SFR_IO_ADDR(SPH), r29
    out _SFR_IO_ADDR(SREG), r0
    out _SFR_IO_ADDR(SPL), r28
    ret

main:
#ifdef FRAME
    call frame
#endif
#ifdef INTERRUPTS
    ldi r24, 1
    out _SFR_IO_ADDR(TCCR0B), r24
    sts TIMSK0, r24         ; an interrupt every 256 cycles
    sei
#endif
    ldi r20, lo8(CALLS)
    ldi r21, hi8(CALLS)
2:  call work
    subi r20, 1
    sbci r21, 0
    brne 2b
#ifdef INTERRUPTS
    sts TIMSK0, r1
#endif
    sei
3:  rjmp 3b

TIMER0_OVF_vect:
    reti                    ; 4 to get here, 3 for the vector's jmp, 4   5 + 3 + 5
