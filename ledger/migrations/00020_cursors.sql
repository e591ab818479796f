-- +goose Up

-- Up to where audit events have landed at a destination in a format. What was
-- landed last is export_id.
CREATE TABLE cursors (
    account     TEXT NOT NULL REFERENCES accounts (name),
    destination TEXT NOT NULL,
    format      TEXT NOT NULL,
    likeness    TEXT NOT NULL, -- of the request: other filters have a cursor of their own
    at          BIGINT NOT NULL, -- excluded
    export_id   BIGINT NOT NULL,
    PRIMARY KEY (account, destination, format, likeness)
);
