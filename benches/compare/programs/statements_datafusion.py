"""Carries out statements in DataFusion: `statements_datafusion.py FILE`; see statements.py."""

from datafusion import SessionContext
from statements import carry_out


def rows(batches):
    return [tuple(row.values()) for batch in batches for row in batch.to_pylist()]


if __name__ == "__main__":
    context = SessionContext()
    carry_out(
        lambda name, path: context.register_parquet(name, f"{path}/"),
        lambda text: rows(context.sql(text).collect()),
    )
