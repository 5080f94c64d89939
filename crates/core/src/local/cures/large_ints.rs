//! Defect: the text of an int of more than 9,000 digits is made by `decimal`. Where its C part is refused, its Python part
//! asks for the text of such an int in turn: that takes for ever.
//!
//! Has it: 3.12, with a GIL of its own; 3.13 goes another way without the C part.
//!
//! Cure: there the text is made by dividing, as 3.13 does it.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"_pylong"],
    c"
def replacers(call, put, at_end):
    # CPython makes the text of an int of so many digits in C.
    MOST = 1000

    def int_to_decimal_string(n):
        powers = {}

        def power_of_10(exponent):
            power = powers.get(exponent)
            if power is None:
                half = exponent >> 1
                power = 10 ** exponent if exponent <= MOST else power_of_10(half) * power_of_10(exponent - half)
                powers[exponent] = power
            return power

        def text(n, digits):
            if digits <= MOST:
                return str(n)
            low = digits >> 1
            high, rest = divmod(n, power_of_10(low))
            return text(high, digits - low) + text(rest, low).zfill(low)

        digits = int(n.bit_length() * 0.30103) + 1
        return ('-' if n < 0 else '') + text(abs(n), digits).lstrip('0')

    def replace_pylong(module):
        try:
            import _decimal
        except ImportError:
            put(module, int_to_decimal_string)

    return {'_pylong': replace_pylong}
",
);
