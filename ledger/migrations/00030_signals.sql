-- +goose Up

-- The newest landed snapshot of each tab and period, so that how old it is costs
-- as much to ask as there are tabs and periods, however many snapshots there are.
CREATE TABLE latest_snapshots (
    account     TEXT NOT NULL REFERENCES accounts (name),
    forecast_id TEXT NOT NULL,
    period      TEXT NOT NULL,
    export_id   INTEGER NOT NULL,
    snapshot_at BIGINT NOT NULL,
    row_count   BIGINT NOT NULL,
    PRIMARY KEY (account, forecast_id, period)
);

CREATE INDEX exports_ended ON exports (account, state) WHERE is_open = 0;
CREATE INDEX exports_overdue ON exports (as_of, id) WHERE is_open = 1 AND rank = 0;
CREATE INDEX events_trouble ON events (at) WHERE to_state IN ('failed', 'rejected');

-- What people were told, or would have been: a key is news once. While
-- cleared_at is 0 it stands.
CREATE TABLE news (
    key        TEXT PRIMARY KEY,
    account    TEXT NOT NULL REFERENCES accounts (name),
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    export_id  INTEGER NOT NULL,
    text       TEXT NOT NULL,
    at         BIGINT NOT NULL,
    cleared_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX news_standing ON news (account, kind, subject) WHERE cleared_at = 0;
CREATE INDEX news_at ON news (at);

-- One message for one receiver about one kind of news of one account. It
-- gathers while state is 'gathering' and is the same for ever after.
CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,
    token         TEXT NOT NULL,
    receiver      TEXT NOT NULL,
    account       TEXT NOT NULL REFERENCES accounts (name),
    kind          TEXT NOT NULL,
    opened_at     BIGINT NOT NULL,
    due_at        BIGINT NOT NULL,
    count         BIGINT NOT NULL,
    samples       TEXT NOT NULL, -- JSON
    state         TEXT NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    owner         TEXT NOT NULL DEFAULT '',
    claimed_until BIGINT NOT NULL DEFAULT 0,
    last_error    TEXT NOT NULL DEFAULT '',
    ended_at      BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX messages_gathering ON messages (receiver, account, kind) WHERE state = 'gathering';
CREATE INDEX messages_due ON messages (due_at, id) WHERE state IN ('gathering', 'waiting', 'sending');
CREATE INDEX messages_spaced ON messages (receiver, account, kind, due_at);
CREATE INDEX messages_ended ON messages (ended_at) WHERE ended_at > 0;
INSERT INTO counters (name, value) VALUES ('message', 0);
