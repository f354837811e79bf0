"""A window of readings in a header: ``NAME_push`` takes a reading and says when the network is to see the last ones.

``NAME_smooth`` averages what it makes of them.
"""

from __future__ import annotations

from ..model.network import Network
from .encoder import encoder_code
from .header_part import HeaderPart, needs_library

SMOOTH = 4  # windows over which scores are averaged, about
MAX_WINDOW = 0xFFFF  # readings: a uint16_t counts them
MOST_BITS = 0xFFFF  # of a reading, likewise


def has_readings(network: Network) -> bool:
    """Whether a network sees a window of a series of readings: it has an encoder, and knows the windows' step."""
    raw = network.raw_shape
    series = raw.height == 1 and 1 < raw.width <= MAX_WINDOW
    known = network.encoder is not None and network.meta.window_step is not None
    return known and series and reading_bits(network) <= MOST_BITS


def reading_bits(network: Network) -> int:
    """Bits of an encoded reading."""
    return 8 * network.input.shape.channels if not network.input.values.packed else network.input.shape.channels


def ring_bytes(network: Network) -> int:
    """Bytes of RAM that the encoded readings of a window take."""
    return network.raw_shape.width * -(-reading_bits(network) // 8)


def readings_part(network: Network, name: str, emitted: str) -> HeaderPart:
    """What a window of readings adds to a header; nothing without one. ``emitted`` says by what it was emitted."""
    code = encoder_code(network, name)
    if code is None or not has_readings(network):
        return HeaderPart()
    macro, window, step = name.upper(), network.raw_shape.width, network.meta.step_of(network.raw_shape.width)
    c_type = network.input.values.c_type
    target = "input" if c_type == "uint8_t" else "(uint8_t *)input"
    size = -(-reading_bits(network) // 8)
    rate = "" if network.meta.sample_rate is None else f", {network.meta.sample_rate:g} a second"
    scope, linkage = f"{macro}_EBNN_SCOPE", f"{macro}_EBNN_LINKAGE"
    return HeaderPart(
        facts=(
            ("readings", f"{window} in a window, {step} from one to the next{rate}, {ring_bytes(network):,} B of RAM"),
        ),
        macros=f"""\
{needs_library("EBNN_READINGS_H", emitted)}
#define {macro}_WINDOW {window} /* readings */
#if !defined({macro}_STEP)
#define {macro}_STEP {step} /* readings from one window to the next; another may be defined, for all files alike */
#endif
#if !defined({macro}_SMOOTH)
#define {macro}_SMOOTH {SMOOTH} /* windows over which {name}_smooth averages; likewise, 1 to 255 */
#endif
#define {macro}_READINGS_BYTES {ring_bytes(network)} /* of RAM, in a program that pushes readings */
""",
        types=f"""\
/* The last readings, encoded. All 0 before the first. */
typedef struct {{
    ebnn_ring_t ring;
    uint8_t bytes[{macro}_READINGS_BYTES];
}} {name}_readings_t;

/* Means of scores over windows. All 0 before the first. */
typedef struct {{
    int32_t scores[{macro}_CLASSES];
    uint8_t begun;
}} {name}_means_t;

""",
        prototypes=f"""
/* The program's own readings and means. */
#if defined(EBNN_STATIC)
EBNN_PRIVATE {name}_readings_t {name}_readings;
EBNN_PRIVATE {name}_means_t {name}_means;
#else
extern {name}_readings_t {name}_readings;
extern {name}_means_t {name}_means;
#endif

/* Takes a reading, {network.raw_shape.channels} values. Returns 1 where a window is due, which then lies in input, of
 * NAME_INPUT_BYTES; otherwise 0, and input is not touched. */
{scope} uint8_t {name}_push_in({name}_readings_t *readings, const {name}_raw_t *reading, {c_type} *input);
""",
        inline=f"""
/* Takes a reading. Returns 1 where a window is due, which then lies in {name}_input(), to be predicted. */
static inline uint8_t {name}_push(const {name}_raw_t *reading)
{{
    return {name}_push_in(&{name}_readings, reading, {name}_input());
}}

/* Averages the scores of a window with those before it, in place. Returns the class of the largest mean. */
static inline uint8_t {name}_smooth(int32_t *scores)
{{
    const uint8_t begun = {name}_means.begun;

    {name}_means.begun = 1;
    return ebnn_smooth({name}_means.scores, begun, scores, {macro}_CLASSES, {macro}_SMOOTH);
}}

/* Forgets readings and means: those to come do not follow them. */
static inline void {name}_restart(void)
{{
    memset(&{name}_readings.ring, 0, sizeof {name}_readings.ring);
    {name}_means.begun = 0;
}}
""",
        definitions=f"""\
#if !defined(EBNN_STATIC)
{linkage} {name}_readings_t {name}_readings;
{linkage} {name}_means_t {name}_means;
#endif

{linkage} uint8_t {name}_push_in({name}_readings_t *readings, const {name}_raw_t *reading, {c_type} *input)
{{
    uint8_t *bytes = readings->bytes + (size_t)readings->ring.next * {size}u;

    EBNN_CHECK_REACH("{name}_encoder", sizeof {code.array});
{code.call("reading", "bytes", single=True)}
    if (!ebnn_next_reading(&readings->ring, {macro}_WINDOW, {macro}_STEP))
        return 0;
    ebnn_lay_readings(readings->bytes, readings->ring.next, {macro}_WINDOW, {reading_bits(network)}u, {target});
    return 1;
}}
""",
        aliases=f"""\
#define EBNN_WINDOW {macro}_WINDOW
#define ebnn_network_push {name}_push
#define ebnn_network_restart {name}_restart
#define ebnn_network_smooth {name}_smooth
""",
    )
