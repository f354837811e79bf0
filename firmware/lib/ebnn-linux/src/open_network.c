/* open_network.c - opens a network: chooses a path, tiles and a group for it, and lays out its memory. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "opened.h"
#include "patches.h"

#define ALIGNMENT 64
#define SUM_BYTES (256u << 10)   /* of a band's sums, where one row takes less */
#define PATCH_BYTES (64u << 10)  /* of a tile's patches, as the products take them, where eight take less */
#define GROUP_BYTES (256u << 10) /* of a group's activations, where one sample takes less */
#define MOST_POSITIONS 64        /* in a tile */
#define MOST_SAMPLES 64          /* in a group */
#define FEWEST_SAMPLES 8         /* in a group: they share the reading of a dense layer's weights */

static const ebnn_linux_path_t *const all_paths[] = {
#ifdef EBNN_LINUX_X86
    &ebnn_linux_avx512,   &ebnn_linux_avx512bw,
    &ebnn_linux_avx2,
#endif
#ifdef EBNN_LINUX_NEON
    &ebnn_linux_neon,
#endif
    &ebnn_linux_portable, NULL};

/* Bytes of a patch as the products take it. */
static size_t patch_size(const ebnn_linux_layer_t *layer)
{
    return ebnn_linux_is_bit_by_bit(layer) ? ((size_t)layer->taps + 7) / 8
                                           : ebnn_linux_patch_values(layer) * ebnn_linux_value_bytes(layer);
}

/* Room for an array behind those before it; without memory only counts. */
static void *take(uint8_t *memory, size_t *used, size_t bytes)
{
    void *at = memory ? memory + *used : NULL;

    *used += ebnn_linux_round_up(bytes + EBNN_LINUX_SLACK, ALIGNMENT);
    return at;
}

static size_t input_bytes(const ebnn_linux_layer_t *layer)
{
    return layer->height * ebnn_linux_row_bytes(layer) * ebnn_linux_value_bytes(layer);
}

/* Which places along one side have their kernels inside the image. */
static void find_inner(const ebnn_linux_layer_t *layer, int axis, ebnn_linux_step_t *step)
{
    const uint32_t side = axis ? layer->width : layer->height, kernel = layer->kernel[axis], pad = layer->pad[axis];
    const uint32_t first = (pad + layer->stride[axis] - 1) / layer->stride[axis];
    const uint32_t end = side + pad < kernel ? 0 : (side + pad - kernel) / layer->stride[axis] + 1;

    step->inner[axis] = first < layer->map[axis] ? first : layer->map[axis];
    step->inner_end[axis] = end < step->inner[axis]  ? step->inner[axis]
                            : end < layer->map[axis] ? end
                                                     : layer->map[axis];
}

/* Chooses tiles and bands of a layer. */
static void plan_step(ebnn_linux_t *net, const ebnn_linux_layer_t *layer, ebnn_linux_step_t *step)
{
    const size_t patch = patch_size(layer);
    const size_t operand = ebnn_linux_is_bit_by_bit(layer) ? patch * (1 + net->path->operand_bytes) : patch;
    size_t row_sums;

    find_inner(layer, 0, step);
    find_inner(layer, 1, step);
    step->lanes = (uint32_t)ebnn_linux_round_up(layer->outputs, EBNN_LINUX_LANES);
    step->patch_bytes = ebnn_linux_round_up(patch + 8, 8);
    step->positions = ebnn_linux_at_most(PATCH_BYTES / operand / 8 * 8, MOST_POSITIONS);
    if (step->positions < 8)
        step->positions = ebnn_linux_is_bit_by_bit(layer) ? 8 : 32;
    step->out_bits = layer->transform == EBNN_LINUX_SIGN || layer->transform == EBNN_LINUX_NORMALIZE;
    step->out_row_bytes = (size_t)layer->pooled[1] * layer->outputs;
    if (step->out_bits)
        step->out_row_bytes = (step->out_row_bytes + 7) / 8;
    row_sums = (size_t)layer->pool_stride[0] * layer->map[1] * step->lanes * sizeof(int32_t);
    step->band = ebnn_linux_at_most(SUM_BYTES / row_sums, layer->pooled[0]);
    if (net->threads > 1)
        step->band = ebnn_linux_at_most((layer->pooled[0] + 2 * net->threads - 1) / (2 * net->threads), step->band);
    step->bands = (layer->pooled[0] + step->band - 1) / step->band;
}

/* Lays out all memory behind `memory`, or only counts its bytes where that is NULL. */
static size_t lay_out(ebnn_linux_t *net, uint8_t *memory)
{
    const ebnn_linux_network_t *network = net->network;
    size_t used = 0, patches = 0, operands = 0, sums = 0, lanes = 0, positions = 0, bit_patch = 0, row = 0;
    uint32_t i;

    for (i = 0; i < network->layer_count; i++) {
        const ebnn_linux_layer_t *layer = network->layers + i;
        const ebnn_linux_step_t *step = net->steps + i;
        const size_t rows = ((size_t)step->band - 1) * layer->pool_stride[0] + layer->pool[0];
        const size_t places =
            layer->dense ? step->positions : (rows < layer->map[0] ? rows : layer->map[0]) * layer->map[1];
        const size_t wide = layer->dense ? 2 * EBNN_LINUX_LANES : step->lanes;
        const size_t tile = step->positions * step->patch_bytes;
        const size_t bits = (ebnn_linux_patch_values(layer) + 7) / 8;

        bit_patch = bit_patch > bits ? bit_patch : bits;
        row = row > step->out_row_bytes ? row : step->out_row_bytes;
        patches = patches > tile ? patches : tile;
        operands = operands > tile * net->path->operand_bytes ? operands : tile * net->path->operand_bytes;
        sums = sums > places * wide ? sums : places * wide;
        lanes = lanes > step->lanes ? lanes : step->lanes;
        positions = positions > step->positions ? positions : step->positions;
    }
    for (i = 0; i < 2; i++)
        net->activations[i] = (uint8_t *)take(memory, &used, net->group * net->activation_bytes);
    net->scores = (int32_t *)take(memory, &used, (size_t)net->group * network->classes * sizeof(int32_t));
    for (i = 0; i < net->threads; i++) {
        ebnn_linux_room_t *room = net->rooms + i;

        room->patches = (uint8_t *)take(memory, &used, patches);
        room->masks = (uint8_t *)take(memory, &used, patches);
        room->operands = (uint8_t *)take(memory, &used, operands);
        room->taps = (int32_t *)take(memory, &used, positions * sizeof(int32_t));
        room->rows = (uint32_t *)take(memory, &used, positions * sizeof(uint32_t));
        room->sums = (int32_t *)take(memory, &used, sums * sizeof(int32_t));
        room->most = (int32_t *)take(memory, &used, lanes * sizeof(int32_t));
        room->panel = (int8_t *)take(memory, &used, EBNN_LINUX_CHUNK_TAPS * EBNN_LINUX_PANEL);
        room->float_panel = (float *)take(memory, &used, EBNN_LINUX_CHUNK_TAPS * EBNN_LINUX_PANEL * sizeof(float));
        room->bits = (uint8_t *)take(memory, &used, lanes / 8);
        room->row = (uint8_t *)take(memory, &used, row);
        room->bit_patch = (uint8_t *)take(memory, &used, bit_patch);
        room->bit_mask = (uint8_t *)take(memory, &used, bit_patch);
    }
    return used;
}

/* Chooses the group and takes the memory. Returns 0 or an error. */
static int prepare(ebnn_linux_t *net)
{
    const ebnn_linux_network_t *network = net->network;
    size_t most = 0, bytes;
    uint32_t i;

    net->steps = (ebnn_linux_step_t *)calloc(network->layer_count, sizeof *net->steps);
    net->rooms = (ebnn_linux_room_t *)calloc(net->threads, sizeof *net->rooms);
    if (!net->steps || !net->rooms)
        return EBNN_LINUX_NO_MEMORY;
    for (i = 0; i < network->layer_count; i++) {
        const size_t in = input_bytes(network->layers + i);

        plan_step(net, network->layers + i, net->steps + i);
        most = most > in ? most : in;
    }
    net->activation_bytes = ebnn_linux_round_up(most + EBNN_LINUX_SLACK, ALIGNMENT);
    net->group = ebnn_linux_at_most(GROUP_BYTES / net->activation_bytes, MOST_SAMPLES);
    if (net->group < FEWEST_SAMPLES)
        net->group = FEWEST_SAMPLES;
    bytes = lay_out(net, NULL);
    if (posix_memalign(&net->memory, ALIGNMENT, bytes) != 0) {
        net->memory = NULL;
        return EBNN_LINUX_NO_MEMORY;
    }
    memset(net->memory, 0, bytes);
    lay_out(net, (uint8_t *)net->memory);
    return 0;
}

static const ebnn_linux_path_t *path_named(const char *name)
{
    uint32_t i;

    for (i = 0; all_paths[i]; i++)
        if (name ? strcmp(all_paths[i]->name, name) == 0 : all_paths[i]->runs())
            return all_paths[i];
    return NULL;
}

int ebnn_linux_open(ebnn_linux_t **opened, const ebnn_linux_network_t *network, const char *weights_file,
                    uint32_t threads, const char *path)
{
    ebnn_linux_t *net;
    int error = 0;

    *opened = NULL;
    if (path && !ebnn_linux_path_runs(path))
        return EBNN_LINUX_NO_PATH;
    net = (ebnn_linux_t *)calloc(1, sizeof *net);
    if (!net)
        return EBNN_LINUX_NO_MEMORY;
    pthread_mutex_init(&net->lock, NULL);
    net->network = network;
    net->path = path_named(path);
    net->threads = threads ? threads : 1;
    net->constants = (const uint8_t *)network->constants;
    if (weights_file) {
        error = ebnn_linux_map(&net->file, weights_file, network);
        if (!error)
            net->constants = (const uint8_t *)net->file.mapped + EBNN_LINUX_HEAD_BYTES;
    } else if (!net->constants) {
        error = EBNN_LINUX_NO_FILE;
    }
    if (!error)
        error = prepare(net);
    if (!error && !(net->pool = ebnn_linux_threads_start(net->threads)))
        error = EBNN_LINUX_NO_THREAD;
    if (error) {
        ebnn_linux_close(net);
        return error;
    }
    *opened = net;
    return 0;
}

void ebnn_linux_close(ebnn_linux_t *opened)
{
    if (!opened)
        return;
    ebnn_linux_threads_stop(opened->pool);
    ebnn_linux_unmap(&opened->file);
    pthread_mutex_destroy(&opened->lock);
    free(opened->memory);
    free(opened->rooms);
    free(opened->steps);
    free(opened);
}

const char *ebnn_linux_path(const ebnn_linux_t *opened)
{
    return opened->path->name;
}

const char *ebnn_linux_path_name(uint32_t index)
{
    const uint32_t count = sizeof all_paths / sizeof all_paths[0] - 1;

    return index < count ? all_paths[index]->name : NULL;
}

int ebnn_linux_path_runs(const char *path)
{
    const ebnn_linux_path_t *found = path_named(path);

    return found && found->runs();
}

const char *ebnn_linux_error(int error)
{
    switch (error) {
    case 0:
        return "no error";
    case EBNN_LINUX_NO_MEMORY:
        return "there is not enough memory";
    case EBNN_LINUX_NO_FILE:
        return "the file of weights cannot be opened";
    case EBNN_LINUX_NO_WEIGHTS:
        return "this is no file of weights";
    case EBNN_LINUX_OTHER_VERSION:
        return "the file of weights has another version than the library";
    case EBNN_LINUX_OTHER_NETWORK:
        return "the file of weights belongs to another network";
    case EBNN_LINUX_DAMAGED:
        return "the file of weights is damaged: its length or its checksum is wrong";
    case EBNN_LINUX_NO_THREAD:
        return "the threads cannot be made";
    case EBNN_LINUX_NO_PATH:
        return "this core does not run that path";
    default:
        return "unknown error";
    }
}
