"""What the operator decides, read once from the environment and from `.env` in the current directory."""

import difflib
import hashlib
import os
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    FilePath,
    NonNegativeInt,
    PositiveInt,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.limits import Limits, for_memory
from bot.log import Form, Level
from bot.rules import Approvers, BudgetLimits, Rules

OPENAI_HOST = "api.openai.com"
SMALL_MACHINE = 2 * 1024**3
"""Bytes assumed where the machine does not say how much memory it has."""


class SettingsRefused(Exception):
    """A setting that cannot be used. `str()` is one sentence for the operator; it holds no secret."""


class Settings(BaseSettings):
    """A line `NAME=value` each. An empty value counts as none."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        env_nested_delimiter="__",
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    openai_api_key: SecretStr | None = None
    """The key for the model endpoint. Servers of your own often need none."""
    openai_base_url: str | None = None
    """Where the model endpoint is, as `http://localhost:11434/v1` for Ollama; without it, OpenAI's own."""
    model_name: str | None = None
    """Which model to ask; without it, one that the endpoint offers."""
    model_api: Literal["auto", "responses", "chat"] = "auto"
    """The wire format: OpenAI's Responses, or Chat Completions that other servers speak. `auto` finds out once
    and remembers it."""
    model_context_tokens: PositiveInt | None = None
    """The model's window. Some servers cut what is longer without a word: `plotline doctor` measures it."""
    model_images: Literal["auto", "on", "off"] = "auto"
    """Whether the model can look at pictures: its own charts, and yours."""
    model_effort: str | None = None
    """How long a reasoning model thinks, in the endpoint's own words, as `low` or `high`."""
    model_data: Literal["full", "schema"] = "full"
    """What the endpoint may see of your data: see [privacy](privacy.md)."""
    model_script: FilePath | None = None
    """A file that plays the model's part, so that nothing is sent anywhere: for demonstrations and tests."""

    slack_bot_token: SecretStr | None = None
    """`xoxb-…`: with it the bot works in Slack, as `plotline slack setup` shows step by step."""
    slack_app_token: SecretStr | None = None
    """`xapp-…`: Slack is listened to over a socket that the bot opens, so that nothing has to reach it."""
    slack_signing_secret: SecretStr | None = None
    """Instead: Slack's requests come over HTTP, to `/slack/events` on `SLACK_PORT`."""
    slack_host: str = "0.0.0.0"  # noqa: S104  # they come from outside, and are signed
    """The address for them."""
    slack_port: Annotated[int, Field(ge=0, le=65535)] = 3000
    """The port for them."""
    slack_api_url: str = "https://slack.com/api/"
    """Where Slack is: `https://slack-gov.com/api/` for GovSlack."""
    thread_context: Literal["all", "files", "none"] = "all"
    """What is read of a Slack thread into which the bot is called: what people said above with their files, the files
    alone, or nothing; nothing at all of those whom it may not serve."""

    discord_token: SecretStr | None = None
    """With it the bot works in those Discord servers that `ALLOW__DISCORD_GUILDS` lists."""
    discord_reads_all: bool = False
    """Whether follow-ups need no mention, and edits of code that was run count: for this the application needs the
    Message Content Intent."""
    discord_api_url: str = "https://discord.com/api/v10"
    """Where Discord is, with the version."""
    discord_gateway_url: str = ""
    """Where its gateway is, if Discord is not to be asked for it."""

    sandbox_image: str = "plotline-sandbox:core"
    """The image of the containers in which code runs; `plotline-sandbox:full` has more packages."""
    sandbox_runtime: str = "runc"
    """The engine's runtime for them: `runsc` where gVisor is installed."""

    sandbox_network: str = ""
    """Hosts that code may reach over TLS, apart by commas, as `example.org, example.org:8443`; none without it. Where a
    name leads into a private network, `host:443=10.0.0.7` vouches for that address. See [security](security.md)."""
    sandbox_packages: bool = False
    """Whether code may install packages, from the index that pip on this machine is configured for."""

    network_approvals: Approvers = "off"
    """Who may decide, by a click, that code reaches a host that it was refused: `managers` of the workspace or server,
    or the `asker` too; with `off`, nobody is asked. See [security](security.md)."""

    data_dir: Path = Field(default_factory=lambda: _data_home() / "plotline")
    """Transcripts and files of all threads. Without it, `~/.local/share/plotline`."""
    database_url: SecretStr | None = None
    """Where threads and turns are kept: `postgresql+psycopg://user@host/name`; without it, SQLite in `DATA_DIR`."""
    files_url: str = ""
    """Where files are kept: an S3-compatible bucket, as `s3://bucket/folder`; without it, a folder in `DATA_DIR`."""
    limits: Limits = Field(default_factory=lambda: for_memory(machine_bytes()))
    """Every bound, one by one: see below."""
    allow: Rules = Field(default_factory=Rules)
    """Who may use the bot, and where: see below."""
    budgets: BudgetLimits = Field(default_factory=BudgetLimits)
    """How much may be used: see below."""

    retention_days: NonNegativeInt = 90
    """After so many days without a message, what was said in a thread goes, with its files. 0 keeps everything."""
    quota_thread_bytes: PositiveInt | None = None
    """Room for the files of one thread; new ones are refused at nine tenths of it. Without it, four workspaces."""
    quota_user_bytes: PositiveInt | None = None
    """Room for the files of one person in a team. Without it, a tenth of all."""
    quota_total_bytes: PositiveInt | None = None
    """Room for all files. Without it, four fifths of what `DATA_DIR` has for them; no bound with `FILES_URL`."""

    operator_contact: str = ""
    """Whom people are told to turn to when something is broken, as they should read it."""
    operator_channel: str = ""
    """Where the bot says once what only an operator can mend, as `slack:T1/C1` or `discord:812/99`."""
    health_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """The port for `/healthz`, `/readyz` and `/metrics`; closed without it."""
    health_host: str = "127.0.0.1"
    """The address for that port; `0.0.0.0` in a container."""
    lang: Annotated[str, Field(validation_alias=AliasChoices("LC_ALL", "LC_MESSAGES", "LANG"))] = ""
    """The language of whoever types, as `de_AT.UTF-8`: usually set by your system."""
    tz: str = ""
    """The time zone of whoever types, as `Europe/Vienna`. Without it, the system's. Days and months of budgets begin
    by it."""
    log_level: Level = "warning"
    """What is worth a line on stderr."""
    log_format: Form = "text"
    """`json`: one object a line, for collectors."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **more: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Secrets may lie in files of their own, whose names the environment gives: `OPENAI_API_KEY_FILE`."""
        given = (more["init_settings"], more["env_settings"], more["dotenv_settings"])
        return (*sources, *given, _SecretFiles(settings_cls))

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, given: dict[str, Any]) -> dict[str, Any]:
        # A key read from a file often ends in a line break, which no HTTP header may hold.
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
        return {name: value for name, value in stripped.items() if value != ""}

    @field_validator(
        *("model_api", "model_images", "model_data", "network_approvals", "log_level", "log_format"),
        mode="before",
    )
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("openai_base_url", "slack_api_url", "discord_api_url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None and not (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
            raise ValueError("it should begin with http:// or https://, as in http://localhost:11434/v1")
        return url

    @field_validator("slack_api_url")
    @classmethod
    def _as_a_folder(cls, url: str) -> str:
        return url.rstrip("/") + "/"

    @field_validator("data_dir", "model_script", mode="before")
    @classmethod
    def _at_home(cls, path: object) -> object:
        return Path(path).expanduser() if isinstance(path, str) else path

    @field_validator("data_dir")
    @classmethod
    def _from_anywhere(cls, path: Path) -> Path:
        return path.absolute()

    @field_validator("limits", mode="before")
    @classmethod
    def _for_this_machine(cls, given: object) -> object:
        return for_memory(machine_bytes()).model_dump() | given if isinstance(given, dict) else given

    @property
    def has_endpoint(self) -> bool:
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def endpoint_host(self) -> str:
        """The machine that reads what the model is asked."""
        return (self.openai_base_url and urlsplit(self.openai_base_url).hostname) or OPENAI_HOST

    @property
    def network_entries(self) -> list[str]:
        """Of `sandbox_network`, as `example.org`, `example.org:8443` or `example.org:443=10.0.0.7`."""
        return [entry.strip() for entry in self.sandbox_network.split(",") if entry.strip()]

    @property
    def locale(self) -> str:
        """BCP 47, as `de-AT`."""
        name = self.lang.split(".")[0].split("@")[0].replace("_", "-")
        return name if name not in {"", "C", "POSIX"} else "en"

    @property
    def time_zone(self) -> str:
        """IANA name."""
        return self.tz.removeprefix(":") or _system_time_zone()

    @property
    def deployment(self) -> str:
        """Names what belongs to this data directory where others share the engine."""
        return deployment(self.data_dir)


class _SecretFiles(PydanticBaseSettingsSource):
    """`NAME_FILE` names the file that a secret is in. `NAME` itself goes before it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE", "") if _is_secret(field) else ""
        try:
            return (Path(path).read_text("utf-8").strip() if path else None), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsRefused(
                f"{field_name.upper()}_FILE is {path!r}; that file cannot be read."
            ) from error

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        found = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in found.items() if value}


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in {field.annotation, *get_args(field.annotation)}


NESTED: dict[str, type[BaseModel]] = {"limits": Limits, "allow": Rules, "budgets": BudgetLimits}
"""Settings that are set one by one, as `LIMITS__CELL_SECONDS`."""


def load() -> Settings:
    """The settings of this process.

    Raises `SettingsRefused`.
    """
    # Whatever the library raises holds the values it read, the key among them: it goes no further than here.
    try:
        return Settings()
    except ValidationError as error:
        sentence = _sentence(error)
    except SettingsError:
        sentence = (
            "LIMITS, ALLOW or BUDGETS cannot be read; set them one by one, as in LIMITS__CELL_SECONDS=30."
        )
    except UnicodeDecodeError:
        sentence = "The file .env is not text in UTF-8."
    except OSError as error:
        sentence = f"The file .env cannot be read: {error.strerror}."
    raise SettingsRefused(sentence)


def deployment(data_dir: Path) -> str:
    return hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]


def machine_bytes() -> int:
    """The memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return SMALL_MACHINE


def variable(field: str) -> str:
    """How a field of `Settings` is called in the environment."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[-1]) if isinstance(alias, AliasChoices) else field.upper()


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    name = "__".join(str(part) for part in first["loc"]).upper()
    if first["type"] == "extra_forbidden":
        known = [f"{group}__{each}".upper() for group, model in NESTED.items() for each in model.model_fields]
        near = difflib.get_close_matches(name, known, n=1)
        return f"There is no setting {name}{f'; did you mean {near[0]}?' if near else '.'}"
    problem = _PROBLEMS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    problem = problem.replace("Input should", "it should").split(", unable to parse")[0]
    # An address may hold a password.
    if name.startswith("OPENAI_"):
        return f"{name} cannot be used: {problem}."
    return f"{name} is {str(first['input'])[:60]!r}; {problem}."


_PROBLEMS = {
    "path_not_file": "there is no such file",
    "int_parsing": "it should be a whole number",
    "float_parsing": "it should be a number",
}
"""Where the library's words are not plain enough."""


def _data_home() -> Path:
    given = Path(os.environ.get("XDG_DATA_HOME", ""))
    # The specification wants relative paths ignored: https://specifications.freedesktop.org/basedir-spec/latest/
    return given if given.is_absolute() else Path.home() / ".local" / "share"


def _system_time_zone() -> str:
    place = Path("/etc/localtime").resolve().as_posix().partition("/zoneinfo/")[2]
    return place.removeprefix("posix/") or "UTC"
