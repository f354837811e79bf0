// Lights the LED while exactly one of two buttons (pins 2 and 3, to ground) is pressed, as the network decides.
#include "xor.h"

void setup() {
  pinMode(2, INPUT_PULLUP);
  pinMode(3, INPUT_PULLUP);
  pinMode(LED_BUILTIN, OUTPUT);
}

void loop() {
  const uint8_t bits = (digitalRead(2) == LOW ? 1 : 0) | (digitalRead(3) == LOW ? 2 : 0);

  digitalWrite(LED_BUILTIN, xor_predict(&bits) ? HIGH : LOW);
}
