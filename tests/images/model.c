/* The source file of a program that implements model.h. */
#define EBNN_MODEL_IMPLEMENTATION
#include "ebnn/model.h"
