/*
 * ebnn: binarized neural networks on microcontrollers.
 *
 * A network's header, emitted by `ebnn export`, includes this file and holds the weights; include that header and call
 * <name>_predict(). No heap, no recursion, no stdio. Everything is static inline: there is nothing to link.
 */
#ifndef EBNN_H
#define EBNN_H

/* Raised when an emitted header of before could no longer be compiled rightly; headers check it with #error. */
#define EBNN_RUNTIME_VERSION 3

#include "ebnn/port.h"
#include "ebnn/bits.h"
#include "ebnn/window.h"
#include "ebnn/dot.h"
#include "ebnn/conv.h"
#include "ebnn/dense.h"
#include "ebnn/output.h"
#include "ebnn/integer.h"
#include "ebnn/ends.h"
#include "ebnn/multiply.h"
#include "ebnn/add.h"
#include "ebnn/depthwise.h"
#include "ebnn/columns.h"
#include "ebnn/tables.h"
#include "ebnn/conv_float.h"
#include "ebnn/dense_float.h"
#include "ebnn/encoder.h"
#include "ebnn/class_names.h"
#include "ebnn/readings.h"
#include "ebnn/softmax.h"

#endif
