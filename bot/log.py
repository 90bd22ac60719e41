"""Where log records go: stderr, readable on a terminal, one JSON object a line for collectors."""

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["text", "json"]


def configure(level: Level, form: Form) -> None:
    """From now on, for our own records and those of the libraries."""
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=_last(form), foreign_pre_chain=_FIRST)
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Below warnings, libraries tell more than anybody asked for: every request, every connection.
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    for ours in ("bot", "adapters", "sandbox"):
        logging.getLogger(ours).setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_FIRST,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


_FIRST: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def _last(form: Form) -> list[Processor]:
    tidy: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "text" and sys.stderr.isatty():
        # Tracebacks as Python writes them: the fancy ones show variables, and with them what people wrote.
        return [tidy, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    in_order = ["timestamp", "level", "event"]
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if form == "json"
        else structlog.processors.LogfmtRenderer(key_order=in_order, drop_missing=True)
    )
    return [tidy, structlog.processors.format_exc_info, renderer]


class _Stderr(logging.StreamHandler[TextIO]):
    """Looks up `sys.stderr` for each record: whoever draws on the terminal puts something in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)
