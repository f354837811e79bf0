/* Prints what sketches print: a header, then the time and three numbers, a hundred times a second. */
#include <Arduino.h>

static uint32_t due;
static int16_t count;

void setup()
{
    Serial.begin(57600);
    Serial.println(F("millis,ax,ay,n"));
    due = millis();
}

void loop()
{
    if ((int32_t)(millis() - due) < 0) {
        return;
    }
    Serial.print(due);
    Serial.print(',');
    Serial.print(count * 0.125f, 3);
    Serial.print(',');
    Serial.print(-count);
    Serial.print(',');
    Serial.println(count);
    count++;
    due += 10;
}
