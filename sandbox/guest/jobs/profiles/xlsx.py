"""Excel's workbooks (.xlsx, .xlsm), read as a stream: no more of them is unpacked than there is time for.

The libraries for it either load all of a sheet or do not tell of hidden rows, merged cells and missing values.
"""

import time
import zipfile

from sandbox.guest.jobs.profiles.workbook import Sheet
from sandbox.guest.jobs.profiles.xlsx_parts import Context, read_sheet_list, read_strings, read_styles
from sandbox.guest.jobs.profiles.xlsx_sheet import read_sheet


def read(archive: zipfile.ZipFile, seconds: float) -> list[Sheet]:
    """Raises `Broken`."""
    deadline = time.monotonic() + seconds
    entries, epoch = read_sheet_list(archive, deadline)
    context = Context(read_strings(archive, seconds * 0.3), read_styles(archive, deadline), epoch)
    names = set(archive.namelist())
    sheets = [Sheet(each.name, each.state, is_chart="chartsheet" in each.part) for each in entries]
    to_read = [
        (entry.part, sheet)
        for entry, sheet in zip(entries, sheets, strict=True)
        if entry.part in names and not sheet.is_chart
    ]
    for order, (part, sheet) in enumerate(to_read, 1):
        seconds_left = deadline - time.monotonic()
        if seconds_left > 0:
            # Half of it for each but the last: the first sheet is mostly the one that matters.
            read_sheet(archive, part, sheet, context, seconds_left / (1 if order == len(to_read) else 2))
        else:
            sheet.complete = False
    return sheets
