"""What can be counted, for Prometheus: numbers and fixed names, nothing of what people wrote."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.transcript import Usage

REGISTRY = CollectorRegistry()
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)

turns = Counter("plotline_turns", "Turns that have ended", ["status"], registry=REGISTRY)
turn_seconds = Histogram(
    "plotline_turn_seconds",
    "Seconds of a turn, by part: waiting for a worker, the model, code, the rest",
    ["part"],
    buckets=SECONDS,
    registry=REGISTRY,
)
cells = Counter("plotline_cells", "Cells that were run", ["outcome"], registry=REGISTRY)
model_calls = Counter("plotline_model_calls", "Replies of the model", ["model", "outcome"], registry=REGISTRY)
tokens = Counter(
    "plotline_tokens", "Tokens, as the endpoint counts them", ["model", "kind"], registry=REGISTRY
)
refusals = Counter("plotline_refusals", "What was refused, by the rule", ["rule"], registry=REGISTRY)
incidents = Counter("plotline_incidents", "What an operator had to hear of", ["incident"], registry=REGISTRY)
queue = Gauge("plotline_queue_turns", "Turns by state", ["state"], registry=REGISTRY)
sessions = Gauge("plotline_sessions", "Sessions with a container, of this process", registry=REGISTRY)
ready = Gauge("plotline_ready", "1 where a check of readiness is passed", ["check"], registry=REGISTRY)


def model_called(model: str, outcome: str, usage: Usage | None = None) -> None:
    model_calls.labels(model, outcome).inc()
    if usage:
        tokens.labels(model, "input").inc(usage.input_tokens)
        tokens.labels(model, "output").inc(usage.output_tokens)
        tokens.labels(model, "cached").inc(usage.cached_tokens)


def turn_ended(status: str, seconds: float, model_seconds: float, code_seconds: float) -> None:
    turns.labels(status).inc()
    turn_seconds.labels("model").observe(model_seconds)
    turn_seconds.labels("code").observe(code_seconds)
    turn_seconds.labels("rest").observe(max(0.0, seconds - model_seconds - code_seconds))


def page() -> bytes:
    """As Prometheus reads it."""
    return generate_latest(REGISTRY)
