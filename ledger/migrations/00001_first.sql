-- +goose Up

-- Ids come from here, so that the same statements serve every database.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('export', 0), ('delivery', 0);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Instants are Unix milliseconds, 0 for none; flags are 0 or 1.
CREATE TABLE accounts (
    name            TEXT PRIMARY KEY,
    base_url        TEXT NOT NULL,
    key_fingerprint TEXT NOT NULL,
    org_id          TEXT NOT NULL DEFAULT '',
    created_at      BIGINT NOT NULL,
    not_before      BIGINT NOT NULL DEFAULT 0,
    wait_code       TEXT NOT NULL DEFAULT '',
    wait_text       TEXT NOT NULL DEFAULT '',
    gate            TEXT NOT NULL DEFAULT '',
    budget          TEXT NOT NULL DEFAULT '',
    -- when the last complete list of jobs was read
    listed_at       BIGINT NOT NULL DEFAULT 0,
    -- the highest jobs.seq of the account
    job_seq         BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE leases (
    account    TEXT PRIMARY KEY REFERENCES accounts (name),
    owner      TEXT NOT NULL, -- '' once released
    generation BIGINT NOT NULL,
    until      BIGINT NOT NULL
);
CREATE INDEX leases_owner ON leases (owner);

-- detail holds, as JSON, what no query asks for.
CREATE TABLE exports (
    id          INTEGER PRIMARY KEY,
    account     TEXT NOT NULL REFERENCES accounts (name),
    fingerprint TEXT NOT NULL,
    state       TEXT NOT NULL,
    is_open     INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    as_of       BIGINT NOT NULL,
    job_id      TEXT NOT NULL,
    not_before  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    version     BIGINT NOT NULL,
    detail      TEXT NOT NULL
);
CREATE INDEX exports_open ON exports (account, id) WHERE is_open = 1;
CREATE INDEX exports_open_like ON exports (account, fingerprint) WHERE is_open = 1;
CREATE INDEX exports_account ON exports (account, id);
CREATE INDEX exports_like ON exports (account, fingerprint, changed_at);

CREATE TABLE events (
    export_id  INTEGER NOT NULL REFERENCES exports (id),
    version    BIGINT NOT NULL, -- the export's version after it
    at         BIGINT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    why        TEXT NOT NULL,
    request    TEXT NOT NULL,
    job_id     TEXT NOT NULL,
    PRIMARY KEY (export_id, version)
);

CREATE TABLE deliveries (
    id          INTEGER PRIMARY KEY,
    export_id   INTEGER NOT NULL REFERENCES exports (id),
    destination TEXT NOT NULL,
    format      TEXT NOT NULL,
    is_primary  INTEGER NOT NULL,
    csv_safe    INTEGER NOT NULL,
    state       TEXT NOT NULL,
    generation  BIGINT NOT NULL,
    owner       TEXT NOT NULL,
    claimed_at  BIGINT NOT NULL,
    attempts    INTEGER NOT NULL,
    not_before  BIGINT NOT NULL,
    manifest    TEXT NOT NULL,
    row_count   BIGINT NOT NULL,
    snapshot_at BIGINT NOT NULL,
    landed_at   BIGINT NOT NULL,
    failure     TEXT NOT NULL, -- JSON, '' for none
    UNIQUE (export_id, destination, format)
);
CREATE INDEX deliveries_claimed ON deliveries (export_id) WHERE state = 'landing';

-- A job in the last complete list (in_list = 1) was listed and seen when that
-- list was read, accounts.listed_at, whatever its own columns say: a list that
-- repeats ten thousand known jobs writes no row of theirs.
CREATE TABLE jobs (
    account         TEXT NOT NULL REFERENCES accounts (name),
    id              TEXT NOT NULL,
    status          TEXT NOT NULL,
    raw_status      TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    org_id          TEXT NOT NULL,
    title           TEXT NOT NULL,
    file_name       TEXT NOT NULL,
    file_type       TEXT NOT NULL,
    currency        TEXT NOT NULL,
    started_at      BIGINT NOT NULL,
    ended_at        BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    rows_truncated  INTEGER NOT NULL,
    cells_truncated INTEGER NOT NULL,
    export_id       INTEGER NOT NULL, -- 0 for a job that is not ours
    seq             BIGINT NOT NULL, -- the order of first sightings, from 1
    first_seen      BIGINT NOT NULL,
    last_seen       BIGINT NOT NULL,
    listed_at       BIGINT NOT NULL,
    in_list         INTEGER NOT NULL,
    was_listed      INTEGER NOT NULL,
    listed_until    BIGINT NOT NULL, -- complete lists must hold it until then
    bought_at       BIGINT NOT NULL,
    uses_quota      INTEGER NOT NULL,
    PRIMARY KEY (account, id)
);
CREATE INDEX jobs_seen ON jobs (account, seq);
CREATE INDEX jobs_in_list ON jobs (account, id) WHERE in_list = 1;
CREATE INDEX jobs_listed ON jobs (account, listed_until, id) WHERE was_listed = 1;
CREATE INDEX jobs_bought ON jobs (account, bought_at) WHERE uses_quota = 1;

CREATE TABLE durations (
    account  TEXT NOT NULL REFERENCES accounts (name),
    job_id   TEXT NOT NULL,
    likeness TEXT NOT NULL,
    ended_at BIGINT NOT NULL,
    ran_ms   BIGINT NOT NULL,
    PRIMARY KEY (account, job_id)
);
CREATE INDEX durations_newest ON durations (account, likeness, ended_at, job_id);
