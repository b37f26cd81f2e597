"""dlt's side, in an environment of its own: `dlt_side SOURCE TARGET FOLDER`, incremental and merge.

Its best settings: connectorx, parquet through ADBC into PostgreSQL; SQLAlchemy into SQLite. Run
twice it merges what changed since.
"""

import json
import os
import resource
import sys
import time

os.environ.update({
    "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR",
    "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
})  # fmt: skip

import dlt  # type: ignore[import-not-found]  # of its own environment
from dlt.sources.sql_database import sql_table  # type: ignore[import-not-found]


def main() -> int:
    """Run the pipeline; seconds, CPU seconds and peak memory as JSON."""
    source, target, folder = sys.argv[1:4]
    into_postgresql = target.startswith("postgresql")
    table = sql_table(
        credentials=source.replace("mysql://", "mysql+pymysql://"),
        table="stock_moves",
        backend="connectorx" if into_postgresql else "pyarrow",
        backend_kwargs={"return_type": "arrow", "conn": source} if into_postgresql else {},
        chunk_size=100_000,
        incremental=dlt.sources.incremental("updated_at"),
        reflection_level="full_with_precision",
    )
    table.apply_hints(primary_key="id", write_disposition="merge")
    # It insists on a password; a server that trusts its own machine looks at none.
    address = target.replace("postgres@", "postgres:none@")
    to = dlt.destinations.postgres(address) if into_postgresql else None
    to = to or dlt.destinations.sqlalchemy(f"sqlite:///{target}")
    pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=to, dataset_name="moves")
    started = time.perf_counter()
    if into_postgresql:
        pipeline.run(table, loader_file_format="parquet")
    else:
        pipeline.run(table)
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "seconds": seconds, "cpu": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1024, "version": dlt.__version__,
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
