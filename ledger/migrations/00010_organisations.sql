-- +goose Up

-- Accounts of one organisation share its slots and its quota, so they share one
-- row: the budget as last read, how many readings of it have begun, and a number
-- that grows with every intent, so that no two take the same slot. An account
-- whose organisation is not named yet has a row of its own.
CREATE TABLE organisations (
    id       TEXT PRIMARY KEY,
    budget   TEXT NOT NULL DEFAULT '', -- JSON, '' before the first reading
    readings BIGINT NOT NULL DEFAULT 0,
    version  BIGINT NOT NULL DEFAULT 1
);

-- The organisation is named again by the next list, and the limits are read
-- again before the next POST.
ALTER TABLE accounts ADD COLUMN organisation TEXT NOT NULL DEFAULT '';
UPDATE accounts SET organisation = 'account ' || name, org_id = '';
INSERT INTO organisations (id) SELECT organisation FROM accounts;
ALTER TABLE accounts DROP COLUMN budget;
CREATE INDEX accounts_organisation ON accounts (organisation);

-- How many readings had begun when the job was first seen: whether a reading
-- counts a job is told by this, not by a clock.
ALTER TABLE jobs ADD COLUMN seen_in BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_seen_in ON jobs (account, seen_in) WHERE export_id <> 0;
