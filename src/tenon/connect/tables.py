"""The tables of the sync runner."""

from __future__ import annotations

import sqlalchemy as sa

from tenon.store import Id, Json, UtcTime, metadata

# Every row ever read, as it was read last.
source_row = sa.Table(
    "source_row",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("stream", sa.String(48), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("hash", sa.String(32), nullable=False),
    sa.Column("raw", sa.Text, nullable=False),  # JSON {column: text or null}
    sa.Column("raw_bytes", sa.Text, nullable=True),  # JSON {column: hex} of undecodable values
    sa.Column("state", sa.String(10), nullable=False),  # applied, set_aside, gone
    sa.Column("reason_code", sa.String(48), nullable=True),
    sa.Column("reason", Json, nullable=True),  # {zh, en, params}
    sa.Column("task_id", Id, nullable=True),
    sa.Column("entity", sa.String(48), nullable=True),
    sa.Column("record_id", Id, nullable=True),
    sa.Column("run_id", Id, nullable=False),
    sa.Column("first_seen_at", UtcTime, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("waits", sa.Boolean, nullable=False),  # has rows in source_wait
    sa.Index(
        "ix_source_row_aside", "source", "reason_code",
        sqlite_where=sa.text("state = 'set_aside'"),
        postgresql_where=sa.text("state = 'set_aside'"),
    ),
    sa.Index("ix_source_row_record", "entity", "record_id"),
)  # fmt: skip

# What a row waits for: a code of the crosswalk, a match key, a record to refer to, a task, or
# the absence of the stream that would found its record (`none`);
# and which documents it names while it is set aside (`name`, which it does not wait for).
source_wait = sa.Table(
    "source_wait",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("stream", sa.String(48), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("kind", sa.String(4), primary_key=True),  # code, key, ref, task, none, name
    sa.Column("entity", sa.String(48), primary_key=True),
    sa.Column("field", sa.String(48), primary_key=True),
    sa.Column("value", sa.String(400), primary_key=True),
    sa.Index("ix_source_wait_value", "kind", "entity", "field", "value"),
    sa.Index("ix_source_wait_text", "value"),
)

sync_run = sa.Table(
    "sync_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source", sa.String(48), nullable=False),
    sa.Column("sync", sa.String(48), nullable=False),
    sa.Column("stream", sa.String(48), nullable=False),
    # full, incremental, compare, backfill, retry, hook
    sa.Column("kind", sa.String(12), nullable=False),
    # running, succeeded, partial, cancelled, failed, interrupted
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("started_at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime, nullable=True),
    sa.Column("read", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("applied", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("unchanged", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("set_aside", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("watermark_before", Json, nullable=True),
    sa.Column("watermark_after", Json, nullable=True),
    sa.Column("resumed_from", Id, nullable=True),
    sa.Column("message", Json, nullable=True),  # {zh, en}
    sa.Column("reasons", Json, nullable=False, server_default="{}"),  # {reason code: count}
    sa.Column("epoch", sa.Integer, nullable=True),  # the publish whose mapping it used
    sa.Column("expected", sa.BigInteger, nullable=True),  # rows it will read, counted or guessed
    sa.Index("ix_sync_run_sync", "sync", "state"),
    sa.Index("ix_sync_run_started", "started_at"),
)

sync_batch = sa.Table(
    "sync_batch",
    metadata,
    sa.Column("run_id", Id, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("read", sa.Integer, nullable=False),
    sa.Column("applied", sa.Integer, nullable=False),
    sa.Column("unchanged", sa.Integer, nullable=False),
    sa.Column("set_aside", sa.Integer, nullable=False),
    sa.Column("watermark", Json, nullable=True),
    sa.Column("row_keys", Json, nullable=True),  # of the first rows it wrote
)

# How far a stream has come; its lease is in `lease` under `sync:<source>:<stream>`.
sync_state = sa.Table(
    "sync_state",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("stream", sa.String(48), primary_key=True),
    sa.Column("watermark", Json, nullable=True),
    sa.Column("last_success_at", UtcTime, nullable=True),
    sa.Column("first_success_at", UtcTime, nullable=True),
    sa.Column("last_attempt_at", UtcTime, nullable=True),
    sa.Column("absent", sa.Boolean, nullable=False, server_default=sa.false()),
    # Counted as they change: counting a million rows would take longer than a page may.
    sa.Column("rows", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("set_aside", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("failure", Json, nullable=True),  # {zh, en, code}
    # How often webhooks wrote into the stream: a run that prepared its rows before looks again.
    sa.Column("told", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("compared_at", UtcTime, nullable=True),  # when it was last read whole, to its end
)

# Whether a source may be asked: paused sources wait for a person.
source_state = sa.Table(
    "source_state",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("failure", Json, nullable=True),  # {zh, en, code}
    sa.Column("failed_since", UtcTime, nullable=True),
    sa.Column("last_success_at", UtcTime, nullable=True),
    sa.Column("last_attempt_at", UtcTime, nullable=True),
)

# Whether a source that tells of its changes is listened to.
source_listen = sa.Table(
    "source_listen",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False),  # listening, failing
    sa.Column("message", Json, nullable=True),  # {code, zh, en}
    sa.Column("since", UtcTime, nullable=False),
)

# What a person has paused: a source (`sync` is empty) or one of its syncs.
sync_hold = sa.Table(
    "sync_hold",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("sync", sa.String(48), primary_key=True),
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

# Ranges that a person wants read again, beside the watermark.
sync_backfill = sa.Table(
    "sync_backfill",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source", sa.String(48), nullable=False),
    sa.Column("sync", sa.String(48), nullable=False),
    sa.Column("span", Json, nullable=False),  # {by, low, high}: as connect.backfill.Span
    sa.Column("reached", Json, nullable=True),  # everything below it was read; as a watermark
    sa.Column("state", sa.String(10), nullable=False),  # waiting, done, failed, cancelled
    sa.Column("at_once", sa.Boolean, nullable=False),  # not only in the off-peak windows
    sa.Column("reason", sa.String(400), nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("ended_at", UtcTime, nullable=True),
    sa.Column("run_id", Id, nullable=True),  # the last run for it
    sa.Column("message", Json, nullable=True),  # {zh, en}
    sa.Index("ix_sync_backfill_state", "state", "source"),
)

# The columns of a stream as they are known, and what a person must say of a change.
sync_shape = sa.Table(
    "sync_shape",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("stream", sa.String(48), primary_key=True),
    sa.Column("columns", Json, nullable=False),  # {name: type}, as accepted
    sa.Column("seen", Json, nullable=False),  # the same, as found last
    sa.Column("seen_at", UtcTime, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # ok, asks, refused, stopped
    sa.Column("changes", Json, nullable=False),  # [{kind, column, was, now, at}], newest last
    sa.Column("without", Json, nullable=False),  # columns whose loss a person accepted
    sa.Column("decided_by", sa.String(100), nullable=True),
    sa.Column("decided_at", UtcTime, nullable=True),
)

# Calls that cost money, counted before they are made: a row for each day in the source's zone.
source_call = sa.Table(
    "source_call",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("again", sa.BigInteger, nullable=False),  # of them, those that repeated a failed one
    # What people were told of the day, and of its month on this day: 0, 1 alarm, 2 spent.
    sa.Column("told_day", sa.Integer, nullable=False, server_default="0"),
    sa.Column("told_month", sa.Integer, nullable=False, server_default="0"),
)

# Which version of a stream that is read whole was written last, in its system's own words.
source_version = sa.Table(
    "source_version",
    metadata,
    sa.Column("source", sa.String(48), primary_key=True),
    sa.Column("stream", sa.String(48), primary_key=True),
    sa.Column("asked", sa.String(32), nullable=False),
    sa.Column("etag", sa.String(400), nullable=True),
    sa.Column("modified", sa.String(400), nullable=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
)

# What a webhook told us, kept before it is answered. `lane` events are handled in their order.
hook_event = sa.Table(
    "hook_event",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("hook", sa.String(48), nullable=False),
    sa.Column("event", sa.String(100), nullable=False),
    sa.Column("lane", sa.String(100), nullable=False),
    sa.Column("hash", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # received, done, stale, failed
    sa.Column("ended_at", UtcTime, nullable=True),
    sa.Column("failure", Json, nullable=True),  # {code, zh, en}
    sa.UniqueConstraint("hook", "event", name="uq_hook_event"),
    sa.Index("ix_hook_event_state", "state", "id"),
    sa.Index("ix_hook_event_ended", "ended_at"),
)

# Webhooks that were refused: a row for each hook, address and reason, not for each request.
hook_refusal = sa.Table(
    "hook_refusal",
    metadata,
    sa.Column("hook", sa.String(48), primary_key=True),
    sa.Column("address", sa.String(60), primary_key=True),
    sa.Column("reason", sa.String(48), primary_key=True),
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("first_at", UtcTime, nullable=False),
    sa.Column("last_at", UtcTime, nullable=False),
)

_UNHEARD = sa.text("echoed_at IS NULL")

# What we write into other systems: a row for each row there, with what we last meant it to hold.
push_row = sa.Table(
    "push_row",
    metadata,
    sa.Column("push", sa.String(48), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),  # the key columns joined by `|`
    sa.Column("entity", sa.String(48), nullable=False),
    sa.Column("record_id", Id, nullable=False),
    sa.Column("run_id", Id, nullable=True),
    sa.Column("step_key", sa.String(100), nullable=True),
    # intended, sent, changed, same; conflict or refused: then nothing was written
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("values", Json, nullable=False),  # {column: text or null}
    # What we know to be there; columns that a sending not noted down may have changed are left out.
    sa.Column("sent_values", Json, nullable=True),
    sa.Column("intended_at", UtcTime, nullable=False),
    sa.Column("sent_at", UtcTime, nullable=True),
    sa.Column("echoed_at", UtcTime, nullable=True),  # read back since it was sent
    sa.Index("ix_push_row_run", "run_id"),
    sa.Index("ix_push_row_record", "entity", "record_id"),
    sa.Index("ix_push_row_unheard", "push", sqlite_where=_UNHEARD, postgresql_where=_UNHEARD),
)
