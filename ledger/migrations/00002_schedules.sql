-- +goose Up

CREATE TABLE schedules (
    account     TEXT NOT NULL REFERENCES accounts (name),
    name        TEXT NOT NULL,
    spec        TEXT NOT NULL, -- what the configuration says, to notice a change
    next_run_at BIGINT NOT NULL,
    last_due_at BIGINT NOT NULL DEFAULT 0,
    last_run_at BIGINT NOT NULL DEFAULT 0,
    paused      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, name)
);
