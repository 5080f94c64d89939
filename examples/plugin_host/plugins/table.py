"""Reads the host's memory, which is not copied, and prints what others publish."""

import host

table = host.table()
host.log(f"the table has {len(table)} numbers of format {table.format!r}; their sum is {sum(table)}")


def on_event(event):
    if event["kind"] == "counted":
        print(f"{event['from']} has counted to {event['data']['count']}")
