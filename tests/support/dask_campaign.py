"""A campaign by four processes of Dask: ``python -m tests.support.dask_campaign PORT JOURNAL ROWS RATE``.

It prints the process ids of the workers, and at the end what the frame says, counted twice, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from tests.support.campaigns import campaign_to, customers

PARTS = 16


def main(port: str, journal: str, rows: str, rate: str = "") -> None:
    import dask.dataframe as dd  # noqa: PLC0415  # the module is looked at for doctests where there is none
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415  # the same

    campaign = campaign_to(int(port), journal, rate=rate or None)
    with LocalCluster(n_workers=4, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        print(json.dumps(list(client.run(os.getpid).values())), flush=True)  # noqa: T201  # whoever started it waits
        frame = dd.from_pandas(customers(int(rows)), npartitions=PARTS)
        done = frame.map_partitions(campaign.send_part, meta=campaign.meta)
        outcomes = done.compute()
        again = done.compute()
        said = {
            "first": outcomes["outcome"].value_counts().to_dict(),
            "again": again["outcome"].value_counts().to_dict(),
            "keys": int(outcomes["key"].nunique()),
            "journal": campaign.outcomes()["outcome"].value_counts().to_dict(),
        }
        print(json.dumps(said), flush=True)  # noqa: T201  # the same


if __name__ == "__main__":
    main(*sys.argv[1:])
