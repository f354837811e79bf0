/*
 * Reads a model.def from standard input and prints its predictions.
 *
 *     cc -std=c99 -O2 run.c -o run
 *     ./run < xor.def            the four rows of XOR: each of two bits repeated over the inputs
 *     ./run 01 0110 < any.def    rows of your own: each bit repeated as often as the inputs hold
 *
 * A line is the bits of the row, the output bits, and their majority. Weights, a bit each, lie in RAM: MODEL_WORDS
 * words of 32. Another source of characters than standard input is another next_character(); nothing is read behind the
 * line 0,0.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef MODEL_WORDS
#define MODEL_WORDS 65536ul
#endif
#ifndef MODEL_LAYERS
#define MODEL_LAYERS 32
#endif
#ifndef MODEL_WIDTH
#define MODEL_WIDTH 8192ul
#endif

typedef struct {
    uint32_t inputs, outputs;
    const uint32_t *rows; /* each starts a word; bit i of a row is bit i % 32 of its word i / 32 */
} layer_t;

static uint32_t weights[MODEL_WORDS];
static layer_t layers[MODEL_LAYERS];
static uint32_t layer_count;
static uint32_t values[2][MODEL_WIDTH / 32];
static unsigned long line = 1;

static int next_character(void)
{
    return getchar();
}

static uint32_t words_of(uint32_t bits)
{
    return (bits + 31) / 32;
}

static int fail(const char *what)
{
    fprintf(stderr, "model, line %lu: %s\n", line, what);
    return 0;
}

/* The next character; the end of a line is '\n', with a '\r' before it or not. */
static int take(void)
{
    int c = next_character();

    if (c == '\r') {
        c = next_character();
        if (c != '\n' && c != EOF)
            c = '?';
    }
    return c;
}

/* A whole number up to MODEL_WIDTH and the mark behind it; the end of the file stands for a new line. */
static int take_number(uint32_t *number, int mark)
{
    int c = take(), digits = 0;

    for (*number = 0; c >= '0' && c <= '9'; c = take(), digits++) {
        *number = *number * 10 + (uint32_t)(c - '0');
        if (*number > MODEL_WIDTH)
            return fail("a layer is wider than MODEL_WIDTH: raise it");
    }
    return digits > 0 && (c == mark || (c == EOF && mark == '\n')) ? 1 : fail("expected IN,OUT of a layer, or 0,0");
}

static int read_rows(const layer_t *layer, uint32_t *rows)
{
    uint32_t row, i;

    for (row = 0; row < layer->outputs; row++, rows += words_of(layer->inputs)) {
        line++;
        for (i = 0; i < layer->inputs; i++) {
            int c = take();

            if (c != '0' && c != '1')
                return fail(c == EOF ? "the file ends within a row" : "a row is too short, or not of 0 and 1");
            rows[i / 32] |= (uint32_t)(c - '0') << (i % 32);
        }
        if (take() != '\n')
            return fail("a row is too long, or the file ends behind it");
    }
    return 1;
}

/* Reads all layers; 0 where the text is no model.def. */
static int read_model(void)
{
    uint32_t used = 0;

    if (take() != 'b' || take() != 'n' || take() != 'n' || take() != '\n')
        return fail("a model.def begins with bnn");
    for (;;) {
        layer_t layer = {0, 0, &weights[used]};
        uint32_t words;

        line++;
        if (!take_number(&layer.inputs, ',') || !take_number(&layer.outputs, '\n'))
            return 0;
        if (layer.inputs == 0 && layer.outputs == 0)
            return layer_count > 0 ? 1 : fail("the model has no layers");
        if (layer.inputs == 0 || layer.outputs == 0)
            return fail("a layer without inputs or outputs");
        if (layer_count == MODEL_LAYERS)
            return fail("more layers than MODEL_LAYERS: raise it");
        if (layer_count > 0 && layers[layer_count - 1].outputs != layer.inputs)
            return fail("a layer takes another number of values than the one before gives");
        words = words_of(layer.inputs);
        if (layer.outputs > (MODEL_WORDS - used) / words)
            return fail("more weights than MODEL_WORDS: raise it");
        if (!read_rows(&layer, &weights[used]))
            return 0;
        used += words * layer.outputs;
        layers[layer_count++] = layer;
    }
}

static uint32_t ones(uint32_t word)
{
    uint32_t count = 0;

    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

/* An output is 1 where fewer than half of the inputs differ from its weights. */
static void run_layer(const layer_t *layer, const uint32_t *input, uint32_t *output)
{
    const uint32_t *row = layer->rows;
    uint32_t i, k, words = words_of(layer->inputs);

    memset(output, 0, sizeof values[0]);
    for (k = 0; k < layer->outputs; k++, row += words) {
        uint32_t differ = 0;

        for (i = 0; i < words; i++)
            differ += ones(row[i] ^ input[i]);
        if (2 * differ < layer->inputs)
            output[k / 32] |= (uint32_t)1 << (k % 32);
    }
}

/* Runs a row of bits, each of them repeated, and prints the answer; 0 where the row does not fit. */
static int predict(const char *bits)
{
    uint32_t i, count = (uint32_t)strlen(bits), inputs = layers[0].inputs, outputs = layers[layer_count - 1].outputs;
    uint32_t set = 0;
    const uint32_t *answer;

    if (count == 0 || strspn(bits, "01") != count || inputs % count != 0) {
        fprintf(stderr, "%s: give 0 and 1, in a number that divides the %lu inputs\n", bits, (unsigned long)inputs);
        return 0;
    }
    memset(values, 0, sizeof values);
    for (i = 0; i < inputs; i++)
        values[0][i / 32] |= (uint32_t)(bits[i / (inputs / count)] - '0') << (i % 32);
    for (i = 0; i < layer_count; i++)
        run_layer(&layers[i], values[i % 2], values[(i + 1) % 2]);
    answer = values[layer_count % 2];
    printf("%s ", bits);
    for (i = 0; i < outputs; i++) {
        uint32_t bit = answer[i / 32] >> (i % 32) & 1;

        set += bit;
        putchar(bit ? '1' : '0');
    }
    printf(" %d\n", 2 * set > outputs);
    return 1;
}

int main(int argc, char **argv)
{
    static const char *const xor_rows[] = {"00", "01", "10", "11"};
    int i;

    if (!read_model())
        return 1;
    printf("%lu layers\n", (unsigned long)layer_count);
    for (i = 1; i < argc; i++)
        if (!predict(argv[i]))
            return 1;
    for (i = 0; argc == 1 && i < 4; i++)
        if (!predict(xor_rows[i]))
            return 1;
    return 0;
}
