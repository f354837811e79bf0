/* How much RAM is in use: what lies between static data and stack is painted, and paint that is gone was touched. */
#ifndef EBNN_BARE_MEMORY_H
#define EBNN_BARE_MEMORY_H

/* To be called first in main. */
void bare_paint(void);

#endif
