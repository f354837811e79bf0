"""Probabilities and the answer "unknown" in a header: ``NAME_probabilities``, ``NAME_class_or_unknown``."""

from __future__ import annotations

from ..model.network import Network
from ..model.probabilities import Octaves, least_probability
from .header_part import HeaderPart, needs_library


def softmax_part(network: Network, name: str, emitted: str, probabilities: bool) -> HeaderPart:
    """What a header has where probabilities are asked for, or where the network rejects what it is not sure of."""
    rejection = network.meta.rejection
    if not probabilities and rejection is None:
        return HeaderPart()
    macro = name.upper()
    octaves = Octaves.of_scale(network.scale)
    macros = needs_library("EBNN_SOFTMAX_H", emitted)
    prototypes = definitions = inline = ""
    check = f'    EBNN_CHECK_REACH("{name}_softmax", EBNN_ROOTS_BYTES);'
    numbers = f"{octaves.most}ul, {octaves.multiplier}u, {octaves.down}, {octaves.shift}"
    given = f"    const ebnn_octaves_t octaves = {{{numbers}}};"
    if probabilities:
        prototypes += f"""
/* Writes the probability of each class, in 1/EBNN_SURE, as the scores tell it. Both have NAME_CLASSES values. */
{macro}_EBNN_SCOPE void {name}_probabilities(const int32_t *scores, uint16_t *probabilities);
"""
        definitions += f"""\
{macro}_EBNN_LINKAGE void {name}_probabilities(const int32_t *scores, uint16_t *probabilities)
{{
{given}

{check}
    ebnn_softmax(&octaves, scores, {macro}_CLASSES, probabilities);
}}
"""
    if rejection is not None:
        macros += f"""
#define {macro}_UNKNOWN 255 /* in the place of a class */
#define {macro}_REJECTION {least_probability(rejection)}u /* what is less probable, in 1/EBNN_SURE, is unknown */
"""
        prototypes += f"""
/* The class of scores, or NAME_UNKNOWN where its probability is below NAME_REJECTION. */
{macro}_EBNN_SCOPE uint8_t {name}_class_or_unknown(const int32_t *scores);
"""
        definitions += f"""\
{macro}_EBNN_LINKAGE uint8_t {name}_class_or_unknown(const int32_t *scores)
{{
{given}

{check}
    return ebnn_class_or_unknown(&octaves, scores, {macro}_CLASSES, {macro}_REJECTION, {macro}_UNKNOWN);
}}
"""
        inline = f"""
/* A prediction that may answer NAME_UNKNOWN. */
static inline uint8_t {name}_predict_or_unknown(const {network.input.values.c_type} *input)
{{
    int32_t scores[{macro}_CLASSES];

    (void){name}_scores(input, scores);
    return {name}_class_or_unknown(scores);
}}
"""
    return HeaderPart(macros=macros, prototypes=prototypes, inline=inline, definitions=definitions)
