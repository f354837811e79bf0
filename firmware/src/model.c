/* What runs a pushed network, whose image lies in RAM: in a file of its own, for on AVR these kernels read other memory
 * than those of network.h. */
#include <stdint.h>

#ifdef EBNN_UPDATABLE
#define EBNN_MODEL_IMPLEMENTATION
#include <ebnn/model.h>
#endif
