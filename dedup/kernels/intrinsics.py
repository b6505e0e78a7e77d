"""Two machine instructions that Numba does not offer."""

from __future__ import annotations

import numba
from numba import types
from numba.extending import intrinsic


@intrinsic
def eight_bytes(typing_context, data, at):
    """``data[at:at + 8]`` of uint8 as a little-endian uint64, unaligned, without a bounds check."""

    def code(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        word = builder.bitcast(place, context.get_value_type(types.uint64).as_pointer())
        return builder.load(word, align=1)

    return types.uint64(data, types.int64), code


@intrinsic
def zeros_below(typing_context, value):
    """The number of zero bits of a uint64 below its lowest one bit; 64 for 0."""

    def code(context, builder, signature, arguments):
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), code


if numba.config.DISABLE_JIT:
    import numpy as np

    def eight_bytes(data, at):  # noqa: D103
        return np.uint64(int.from_bytes(data[at : at + 8].tobytes(), "little"))

    def zeros_below(value):  # noqa: D103
        value = int(value)
        return np.uint64((value & -value).bit_length() - 1 if value else 64)
