"""A million stock moves from MariaDB into the hub: the source, Tenon, dlt and the bare floor."""
