"""Text of any sort: data, tables, prose, code, logs. Standard library only."""

import re
from collections import Counter

from sandbox.guest.jobs.profiles import delimited, json_text, web_page, xml_text
from sandbox.guest.jobs.profiles.finding import Finding
from sandbox.guest.jobs.profiles.layout import looks_like_table
from sandbox.guest.jobs.profiles.lines import split_lines
from sandbox.guest.jobs.profiles.source import Source, Start
from sandbox.guest.jobs.profiles.text_file import TextFile, read_text
from sandbox.guest.jobs.profiles.wording import count, listed, plain, quoted

FIRST_LINES = 12
TABLE_ENDINGS = frozenset(["csv", "tsv", "tab", "psv"])
SPREADSHEET_ENDINGS = frozenset(["xls", "xlsx", "xlsm", "xlsb", "ods"])
MAYBE_TABLES = SPREADSHEET_ENDINGS | {"", "txt", "dat", "asc", "prn", "out"}
LANGUAGES = {
    "py": "Python", "pyw": "Python", "js": "JavaScript", "mjs": "JavaScript", "cjs": "JavaScript",
    "ts": "TypeScript", "tsx": "TypeScript", "jsx": "JavaScript", "java": "Java", "kt": "Kotlin", "scala": "Scala",
    "c": "C", "h": "C", "cpp": "C++", "cc": "C++", "cxx": "C++", "hpp": "C++", "cs": "C#", "go": "Go", "rs": "Rust",
    "rb": "Ruby", "php": "PHP", "swift": "Swift", "r": "R", "jl": "Julia", "m": "MATLAB or Objective-C", "pl": "Perl",
    "sh": "shell", "bash": "shell", "zsh": "shell", "ps1": "PowerShell", "bat": "batch", "sql": "SQL", "lua": "Lua",
    "hs": "Haskell", "ml": "OCaml", "clj": "Clojure", "ex": "Elixir", "erl": "Erlang", "dart": "Dart",
    "vb": "Visual Basic", "bas": "Visual Basic", "f90": "Fortran", "asm": "assembler", "sol": "Solidity", "vue": "Vue",
    "css": "CSS", "scss": "SCSS", "tex": "LaTeX", "bib": "BibTeX", "proto": "Protocol Buffers", "graphql": "GraphQL",
    "tf": "Terraform",
}  # fmt: skip
INTERPRETERS = {
    "python": "Python", "bash": "shell", "sh": "shell", "node": "JavaScript", "perl": "Perl", "ruby": "Ruby",
    "Rscript": "R",
}  # fmt: skip
SORTS = {
    "md": "Markdown", "markdown": "Markdown", "rst": "reStructuredText", "log": "log", "yaml": "YAML", "yml": "YAML",
    "toml": "TOML", "ini": "INI settings", "cfg": "settings", "conf": "settings", "env": "settings", "srt": "subtitles",
    "vtt": "subtitles", "ics": "calendar", "vcf": "contacts", "diff": "diff", "patch": "diff",
}  # fmt: skip
COUNTED = {"calendar": ("BEGIN:VEVENT", "event"), "contacts": ("BEGIN:VCARD", "contact")}
_DEFINED = {
    "Python": re.compile(r"^(?:async )?(?:def|class) (\w+)", re.MULTILINE),
    "JavaScript": re.compile(r"^(?:export )?(?:default )?(?:async )?(?:function|class) (\w+)", re.MULTILINE),
    "SQL": re.compile(
        r"^[ \t]*create (?:or replace )?(?:table|view|function|procedure) (?:if not exists )?([\w.\"`]+)",
        re.MULTILINE | re.IGNORECASE,
    ),
    "R": re.compile(r"^(\w[\w.]*) *(?:<-|=) *function", re.MULTILINE),
    "Java": re.compile(r"\b(?:class|interface|enum|record) (\w+)"),
    "Go": re.compile(r"^func (?:\([^)\n]*\) )?(\w+)", re.MULTILINE),
    "Rust": re.compile(r"^(?:pub )?(?:fn|struct|enum|trait) (\w+)", re.MULTILINE),
}
_DEFINED["TypeScript"] = _DEFINED["JavaScript"]
_DEFINED["C#"] = _DEFINED["Java"]
_SHEBANG = re.compile(r"#!.{0,80}\b(python|bash|sh|node|perl|ruby|Rscript)")
_LOG_LINE = re.compile(
    r".{0,40}(?:\d{4}-\d{2}-\d{2}|\d{2}[:/]\d{2}[:/]\d{2,4}|\w{3} +\d{1,2} \d{2}:\d{2}).{0,60}", re.DOTALL
)
_LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b")


def profile(source: Source, start: Start | None = None) -> Finding | None:
    """None for what is no text. `start` is given where the file is compressed. Raises `Broken`."""
    file = read_text(source.name, start or source.start())
    if file is None:
        return None
    # What calls itself a table may be something else.
    found = json_text.profile(file) or web_page.profile(file, source.deadline) or xml_text.profile(file)
    if found:
        return found
    if file.ending in TABLE_ENDINGS or (
        file.ending in MAYBE_TABLES and looks_like_table(file.text, sure=file.ending in SPREADSHEET_ENDINGS)
    ):
        return delimited.profile(source, file)
    return _plain(file)


def _plain(file: TextFile) -> Finding:
    lines = split_lines(file.text)
    language = _language(file)
    sort = f"{language} code" if language else SORTS.get(file.ending, "text")
    if sort in {"text", "log"} and _is_log(lines):
        sort = "log"
    shape = f"{count(len(lines), 'line')}, {count(len(file.text), 'character')}"
    if not file.whole:
        shape = f"the first {shape} were looked at"
    facts = [f"{sort[0].upper()}{sort[1:]}: {shape}; encoding {file.encoding.name}"]
    facts += _names_defined(language, file.text)
    if sort == "log":
        facts += _levels(lines)
    if sort in COUNTED:
        sign, what = COUNTED[sort]
        facts.append(count(file.text.count(sign), what))
    longest = max(map(len, lines), default=0)
    if longest > 10_000:
        facts.append(f"The longest line has {longest:,} characters")
    text = list(facts)
    if sort == "log":
        text.append(f"Last line: {plain(lines[-1], 160)}")
    if sort == "Markdown":
        headings = [line.lstrip("# ") for line in lines if re.match(r"#{1,3} ", line)]
        text += [f"Headings: {listed((quoted(each) for each in headings), 10)}"] if headings else []
    shown = [line for line in lines if line.strip()][:FIRST_LINES]
    text += ["First lines:", *(plain(line, 160) for line in shown)]
    return Finding("text", tuple(text), tuple(facts))


def _language(file: TextFile) -> str:
    found = _SHEBANG.match(file.text)
    return LANGUAGES.get(file.ending) or (INTERPRETERS[found[1]] if found else "")


def _names_defined(language: str, text: str) -> list[str]:
    pattern = _DEFINED.get(language)
    names = list(dict.fromkeys(found[1] for found in pattern.finditer(text))) if pattern else []
    return [f"Defines: {listed((plain(name) for name in names), 20)}"] if names else []


def _levels(lines: list[str]) -> list[str]:
    levels = Counter(found[1] for line in lines[:50_000] if (found := _LEVEL.search(line[:200])))
    counted = listed(f"{level} × {times:,}" for level, times in levels.most_common())
    return [f"Levels: {counted}"] if levels else []


def _is_log(lines: list[str]) -> bool:
    sample = [line for line in lines[:50] if line.strip()]
    return len(sample) >= 3 and sum(bool(_LOG_LINE.match(line[:120])) for line in sample) > 0.7 * len(sample)
