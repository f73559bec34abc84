"""Functions of numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from ferris_beam.sql.functions.define import category, engine, over
from ferris_beam.sql.functions.definition import Vectorised
from ferris_beam.sql.functions.vectorised import bits, checked

_number = category("numbers")


def _checked(name: str, run: Callable[..., np.ndarray], count: int = 1) -> Vectorised:
    return over(checked.finite(name, run), *[pa.float64()] * (count + 1))


def _log(*given: exp.Expression) -> exp.Expression:
    return engine("checked_log10" if len(given) == 1 else "checked_log", *given)


def _modulo(dividend: exp.Expression, divisor: exp.Expression) -> exp.Expression:
    return exp.Paren(this=exp.Mod(this=exp.paren(dividend), expression=exp.paren(divisor)))


def _width_bucket(
    value: exp.Expression, low: exp.Expression, high: exp.Expression, count: exp.Expression
) -> exp.Expression:
    """PostgreSQL's: 0 below ``low``, ``count`` + 1 from ``high`` on."""
    span = exp.paren(exp.Sub(this=_double(high), expression=_double(low)))
    offset = exp.paren(exp.Sub(this=_double(value), expression=_double(low)))
    share = exp.Div(this=exp.Mul(this=offset, expression=_double(count)), expression=span)
    bucket = exp.Add(
        this=exp.cast(engine("floor", share), "bigint"), expression=exp.Literal.number(1)
    )
    return (
        exp.Case()
        .when(exp.LT(this=_double(value), expression=_double(low)), exp.Literal.number(0))
        .when(
            exp.GTE(this=_double(value), expression=_double(high)),
            exp.Add(this=exp.cast(count.copy(), "bigint"), expression=exp.Literal.number(1)),
        )
        .else_(exp.paren(bucket))
    )


def _double(value: exp.Expression) -> exp.Expression:
    return exp.cast(value.copy(), "double")


FUNCTIONS = (
    _number("abs(number)", "The absolute value.", ("abs(-3)", "3")),
    _number(
        "acos(number)",
        "The arc cosine, in radians.",
        ("acos(1)", "0.0"),
        engine="checked_acos",
        ours=_checked("acos", np.arccos),
    ),
    _number(
        "acosh(number)",
        "The inverse hyperbolic cosine.",
        ("acosh(1)", "0.0"),
        engine="checked_acosh",
        ours=_checked("acosh", np.arccosh),
    ),
    _number(
        "asin(number)",
        "The arc sine, in radians.",
        ("asin(0)", "0.0"),
        engine="checked_asin",
        ours=_checked("asin", np.arcsin),
    ),
    _number("asinh(number)", "The inverse hyperbolic sine.", ("asinh(0)", "0.0")),
    _number("atan(number)", "The arc tangent, in radians.", ("atan(0)", "0.0")),
    _number(
        "atan2(y, x)",
        "The angle of the point (x, y), in radians.",
        ("round(atan2(1, 1), 4)", "0.7854"),
    ),
    _number("atanh(number)", "The inverse hyperbolic tangent.", ("atanh(0)", "0.0")),
    _number(
        "bit_count(number)",
        "How many bits of an integer are 1.",
        ("bit_count(7)", "3"),
        ours=over(bits.count, pa.int64(), pa.int64()),
    ),
    _number("cbrt(number)", "The cube root.", ("cbrt(27)", "3.0")),
    _number(
        "ceil(number)",
        "The least whole number that is not smaller.",
        ("ceil(1.2)", "2.0"),
        aliases=("ceiling",),
    ),
    _number("cos(number)", "The cosine of an angle in radians.", ("cos(0)", "1.0")),
    _number(
        "cosh(number)",
        "The hyperbolic cosine.",
        ("cosh(0)", "1.0"),
        engine="checked_cosh",
        ours=_checked("cosh", np.cosh),
    ),
    _number("cot(number)", "The cotangent of an angle in radians.", ("round(cot(1), 4)", "0.6421")),
    _number("degrees(radians)", "Radians in degrees.", ("degrees(pi())", "180.0")),
    _number(
        "exp(number)",
        "e to the power of the number.",
        ("exp(0)", "1.0"),
        engine="checked_exp",
        ours=_checked("exp", np.exp),
    ),
    _number("factorial(number)", "1 · 2 · … · number.", ("factorial(5)", "120")),
    _number(
        "floor(number)", "The greatest whole number that is not greater.", ("floor(1.8)", "1.0")
    ),
    _number(
        "gcd(number, other)",
        "The greatest common divisor.",
        ("gcd(12, 18)", "6"),
        aliases=("greatest_common_divisor",),
    ),
    _number(
        "isfinite(number)",
        "Whether it is neither infinite nor NaN.",
        ("isfinite(CAST('inf' AS DOUBLE))", "false"),
        ours=over(pc.is_finite, pa.float64(), pa.bool_()),
    ),
    _number(
        "isinf(number)",
        "Whether it is infinite.",
        ("isinf(CAST('-inf' AS DOUBLE))", "true"),
        ours=over(pc.is_inf, pa.float64(), pa.bool_()),
    ),
    _number("isnan(number)", "Whether it is NaN.", ("isnan(CAST('NaN' AS DOUBLE))", "true")),
    _number("iszero(number)", "Whether it is 0.", ("iszero(0)", "true")),
    _number(
        "lcm(number, other)",
        "The least common multiple.",
        ("lcm(4, 6)", "12"),
        aliases=("least_common_multiple",),
    ),
    _number(
        "ln(number)",
        "The natural logarithm.",
        ("ln(1)", "0.0"),
        engine="checked_ln",
        ours=_checked("ln", np.log),
    ),
    _number(
        "log([base, ]number)",
        "The logarithm, of base 10 if none is given.",
        ("log(100)", "2.0"),
        ("log(2, 8)", "3.0"),
        render=_log,
        engine="checked_log",
        ours=_checked("log", checked.logarithm, 2),
    ),
    _number(
        "log10(number)",
        "The logarithm of base 10.",
        ("log10(1000)", "3.0"),
        engine="checked_log10",
        ours=_checked("log10", np.log10),
    ),
    _number(
        "log2(number)",
        "The logarithm of base 2.",
        ("log2(8)", "3.0"),
        engine="checked_log2",
        ours=_checked("log2", np.log2),
    ),
    _number(
        "mod(dividend, divisor)",
        "The remainder, with the dividend's sign; also written dividend % divisor.",
        ("mod(-7, 3)", "-1"),
        render=_modulo,
    ),
    _number(
        "nanvl(number, other)",
        "The number, or the other one where it is NaN.",
        ("nanvl(CAST('NaN' AS DOUBLE), 0.0)", "0.0"),
    ),
    _number("pi()", "π.", ("round(pi(), 4)", "3.1416")),
    _number(
        "power(base, exponent)",
        "The base to the power of the exponent.",
        ("power(2, 10)", "1024.0"),
        engine="checked_power",
        ours=_checked("power", np.power, 2),
        aliases=("pow",),
    ),
    _number("radians(degrees)", "Degrees in radians.", ("round(radians(180), 4)", "3.1416")),
    _number(
        "random()",
        "A random DOUBLE, 0 ≤ x < 1.",
        ("random() < 1", "true"),
        aliases=("rand",),
        volatile=True,
    ),
    _number(
        "round(number[, places])",
        "Rounded to so many places behind the point, halves away from zero.",
        ("round(2.345, 2)", "2.35"),
        ("round(-2.5)", "-3"),
    ),
    _number(
        "signum(number)",
        "-1, 0 or 1, a DOUBLE.",
        ("signum(-4)", "-1.0"),
        aliases=("sign",),
    ),
    _number("sin(number)", "The sine of an angle in radians.", ("sin(0)", "0.0")),
    _number(
        "sinh(number)",
        "The hyperbolic sine.",
        ("sinh(0)", "0.0"),
        engine="checked_sinh",
        ours=_checked("sinh", np.sinh),
    ),
    _number("sqrt(number)", "The square root.", ("sqrt(16)", "4.0")),
    _number("tan(number)", "The tangent of an angle in radians.", ("tan(0)", "0.0")),
    _number("tanh(number)", "The hyperbolic tangent.", ("tanh(0)", "0.0")),
    _number(
        "trunc(number[, places])",
        "Without what is behind so many places.",
        ("trunc(-2.789, 1)", "-2.700"),
        aliases=("truncate",),
    ),
    _number(
        "width_bucket(number, low, high, count)",
        "Which of `count` equal parts of low … high holds the number, from 1; 0 below, "
        "count + 1 from `high` on.",
        ("width_bucket(5.35, 0.024, 10.06, 5)", "3"),
        render=_width_bucket,
    ),
)
