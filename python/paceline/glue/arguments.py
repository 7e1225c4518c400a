"""Reads the arguments of a Glue job as `awsglue.utils.getResolvedOptions` does, without awsglue.

`--k v` and `--k=v`; the last one wins; arguments that nobody asks for are ignored; hyphens in names become underscores in
keys; values are strings, also `-5`, but not `--x`. The tests compare every rule with the original.
"""

import argparse
from typing import Dict, Iterable, List, Sequence

__all__ = ["GlueArgumentError", "get_resolved_options", "is_given", "split_chain"]

BOOKMARKS = ("job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable")
# Their older names, in the same order.
CONTINUATIONS = ("continuation-enabled", "continuation-readonly", "continuation-ignore")
# What Glue itself gives to jobs. None of it has to be there, and all of it is in the result.
OWN_CHOICES = {
    "job-bookmark-option": BOOKMARKS,
    "continuation-option": CONTINUATIONS,
    "encryption-type": ("sse-s3",),
}
OWN = (
    "job-bookmark-from",
    "job-bookmark-to",
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "enable-data-lineage",
    "RedshiftTempDir",
    "TempDir",
)
# JOB_NAME is Glue's own too, but is given only to who asks for it; so are folders for temporary files, to everybody.
NOT_TO_BE_ASKED_FOR = frozenset({*OWN_CHOICES, "job-bookmark-from", "job-bookmark-to"})


class GlueArgumentError(Exception):
    """The arguments are not what the job needs; the message names them."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise GlueArgumentError(message)


def get_resolved_options(argv: Sequence[str], options: Iterable[str]) -> Dict[str, str]:
    """The values of `options`, which must all be given, and of what Glue gives every job, by name with underscores.

    `argv` begins with the name of the program, as `sys.argv` does. Raises GlueArgumentError.
    """
    options = list(dict.fromkeys(options))
    reserved = sorted(NOT_TO_BE_ASKED_FOR.intersection(options))
    if reserved:
        raise RuntimeError(f"Using reserved arguments {', '.join(reserved)}")
    parser = _Parser()
    for name, choices in OWN_CHOICES.items():
        parser.add_argument(f"--{name}", choices=choices)
    for name in OWN:
        parser.add_argument(f"--{name}")
    for name in options:
        if name not in OWN:
            parser.add_argument(f"--{name}", required=True)
    values = vars(parser.parse_known_args(list(argv[1:]))[0])
    if values["TempDir"] is not None:
        values["RedshiftTempDir"] = values["TempDir"]
    else:
        values["TempDir"] = values["RedshiftTempDir"]
    _resolve_bookmark(values)
    return values


def _resolve_bookmark(values):
    """Translates the older name of the option, and checks that a range comes with a pause only, and whole."""
    older = values.pop("continuation_option")
    if values["job_bookmark_option"] is None:
        values["job_bookmark_option"] = BOOKMARKS[CONTINUATIONS.index(older)] if older else "job-bookmark-disable"
    absent = [name for name in ("job-bookmark-from", "job-bookmark-to") if values[name.replace("-", "_")] is None]
    pauses = values["job_bookmark_option"] == "job-bookmark-pause"
    if pauses and len(absent) == 1:
        raise RuntimeError(f"Missing option or value for --{absent[0]}")
    if not pauses and not absent:
        raise RuntimeError("Invalid option(s) --job-bookmark-from --job-bookmark-to")


def is_given(argv: Sequence[str], name: str) -> bool:
    """Whether an argument that may be left out is there."""
    return any(text == f"--{name}" or text.startswith(f"--{name}=") for text in argv[1:])


def split_chain(name: str, text: str) -> List[str]:
    """The values of an argument that is chained as Glue's `--conf`: `a=1 --conf b=2` is `a=1` and `b=2`."""
    values = [part.strip() for part in f" {text} ".split(f" --{name} ")]
    for value in values:
        if "=" not in value.lstrip("="):
            raise GlueArgumentError(f"argument --{name}: expected KEY=VALUE, or several with --{name} between, not '{value}'")
    return values
