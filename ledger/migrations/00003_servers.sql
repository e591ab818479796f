-- +goose Up

-- A right to act is its owner's: one row says how long all leases and claims of
-- a process stand, so that renewing them is one write, however many they are.
CREATE TABLE owners (
    owner  TEXT PRIMARY KEY,
    until  BIGINT NOT NULL,
    serves INTEGER NOT NULL DEFAULT 0 -- 1 for a server, which takes whatever account is free
);
INSERT INTO owners (owner, until) SELECT owner, MAX(until) FROM leases WHERE owner <> '' GROUP BY owner;
ALTER TABLE leases DROP COLUMN until;

-- Another server asks for the account, so that both have their share.
ALTER TABLE leases ADD COLUMN wanted_by TEXT NOT NULL DEFAULT '';
ALTER TABLE leases ADD COLUMN wanted_until BIGINT NOT NULL DEFAULT 0;

-- How often somebody else than its conductor changed what the conductor of an
-- account decides on, and when last: one look tells of all accounts.
CREATE TABLE stirs (
    account TEXT PRIMARY KEY REFERENCES accounts (name),
    n       BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX stirs_at ON stirs (at);

CREATE INDEX schedules_due ON schedules (next_run_at) WHERE paused = 0;
