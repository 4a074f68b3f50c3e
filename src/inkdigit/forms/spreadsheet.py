"""Write a table as an Excel file (extra `xlsx`)."""

from pathlib import Path

from .table import Cell, Table, plain

UNSURE_FILL = "#fff2cc"
MAX_ROWS = 1_048_576  # of a sheet in Excel, its head among them


def write_xlsx(table: Table, path: Path) -> None:
    """Write a table; what is not sure is marked. Texts stay texts, so that no leading zero is lost.

    Raises OSError where the file cannot be written.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415  an extra
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415

    book = Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    head, unsure = book.add_format({"bold": True}), book.add_format({"bg_color": UNSURE_FILL})
    parts = range(0, max(1, len(table.rows)), MAX_ROWS - 1)
    for start in parts:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, table.columns, head)
        for at, row in enumerate(table.rows[start : start + MAX_ROWS - 1], 1):
            for column, value in enumerate(row):
                is_unsure = isinstance(value, Cell) and not value.is_sure
                sheet.write(at, column, plain(value), unsure if is_unsure else None)
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        sheet.autofit()
    try:
        book.close()
    except FileCreateError as error:
        raise OSError(str(error)) from error
