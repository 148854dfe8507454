"""A campaign by Spark in four threads: ``python -m tests.support.spark_campaign PORT JOURNAL ROWS DOOMED``.

Where there is no file DOOMED yet, the first worker makes it and is killed amid its part. At the end it prints what the
frame says, counted twice, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from tests.support.campaigns import campaign_to, customers

__all__: list[str] = []


def main(port: str, journal: str, rows: str, doomed: str) -> None:
    from pyspark.sql import SparkSession  # noqa: PLC0415  # the module is looked at for doctests where there is none

    campaign = campaign_to(int(port), journal)

    def sent(frames: Iterator[Any]) -> Iterator[Any]:
        try:
            os.close(os.open(doomed, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        else:
            threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
        yield from campaign.send_batches(frames)

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # A task is tried four times.
    builder: Any = SparkSession.builder
    spark = (
        builder.master("local[4,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    frame = spark.createDataFrame(customers(int(rows))).repartition(8)
    done = frame.mapInPandas(sent, schema=campaign.schema)
    said = {
        "first": done.count(),
        "again": {row["outcome"]: row["count"] for row in done.groupBy("outcome").count().collect()},
        "keys": done.select("key").distinct().count(),
        "journal": campaign.outcomes()["outcome"].value_counts().to_dict(),
    }
    spark.stop()
    print(json.dumps(said), flush=True)  # noqa: T201  # whoever started it waits for this


if __name__ == "__main__":
    main(*sys.argv[1:])
