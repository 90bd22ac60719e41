"""What model calls cost: list prices that come with a library, so that nothing is looked up anywhere."""

from functools import cache

import genai_prices

from bot.transcript import Usage


def cost_usd(usage: Usage, model_name: str) -> float | None:
    """US dollars, with cached input at its own price; None for a model whose price is not known."""
    if not _has_price(model_name):
        return None
    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),
    )
    return float(genai_prices.calc_price(counted, model_ref=model_name).total_price)


@cache
def _has_price(model_name: str) -> bool:
    """Asked once: that there is none is found out by going through all there are."""
    # `deepseek-r1:7b` runs on somebody's own machine; the library would take it for the hosted one.
    if ":" in model_name:
        return False
    try:
        genai_prices.calc_price(genai_prices.Usage(), model_ref=model_name)
    except LookupError:
        return False
    return True
