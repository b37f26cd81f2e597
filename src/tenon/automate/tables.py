"""The tables of flows: runs, their steps, which flows are switched on, notices to people."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, Json, UtcTime, metadata

_WAITING = sa.text("state = 'waiting'")

# A run of a flow. `owner` is the key of the job that may move it on; a waiting run has none.
flow_run = sa.Table(
    "flow_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("flow", sa.String(48), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),  # the publish whose flow it follows
    sa.Column("state", sa.String(10), nullable=False),  # running, waiting, done, failed, cancelled
    sa.Column("step", sa.String(48), nullable=True),
    sa.Column("owner", sa.String(200), nullable=True),
    sa.Column("depth", sa.Integer, nullable=False),  # how many runs stand between it and a person
    sa.Column("entity", sa.String(48), nullable=False),
    sa.Column("record_id", Id, nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("data", Json, nullable=False),  # {trigger, steps}
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime, nullable=True),
    sa.Column("waits", sa.Integer, nullable=False),  # how many times it has waited
    sa.Column("waited", UtcTime, nullable=True),
    sa.Column("wait_until", UtcTime, nullable=True),
    sa.Column("wait_entity", sa.String(48), nullable=True),
    sa.Column("wait_record", Id, nullable=True),
    sa.Column("failure", Json, nullable=True),  # {code, zh, en}
    sa.Index("ix_flow_run_flow", "flow", "state", "id"),
    sa.Index("ix_flow_run_record", "entity", "record_id"),
    sa.Index(
        "ix_flow_run_wait", "wait_record", sqlite_where=_WAITING, postgresql_where=_WAITING
    ),
    sa.Index("ix_flow_run_ended", "ended_at"),
)  # fmt: skip

flow_step = sa.Table(
    "flow_step",
    metadata,
    sa.Column("run_id", Id, primary_key=True),
    sa.Column("step", sa.String(48), primary_key=True),
    sa.Column("state", sa.String(10), nullable=False),  # running, waiting, done, failed
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime, nullable=True),
    sa.Column("output", Json, nullable=True),
    sa.Column("failure", Json, nullable=True),
)

# What an administrator of this installation said of a flow; without a row its definition holds.
flow_switch = sa.Table(
    "flow_switch",
    metadata,
    sa.Column("flow", sa.String(48), primary_key=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("role", sa.String(48), nullable=False),
    sa.Column("title", Json, nullable=False),  # {zh, en}
    sa.Column("body", Json, nullable=True),  # {zh, en}
    sa.Column("link", sa.String(200), nullable=True),
    sa.Column("run_id", Id, nullable=True),
    sa.Index("ix_notice_role", "role", "id"),
)

notice_read = sa.Table(
    "notice_read",
    metadata,
    sa.Column("notice_id", Id, primary_key=True),
    sa.Column("user_id", Id, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
)
