-- +goose Up

-- 1 for an export of a span of time. Requests of another span are other ones, so
-- being the newest of its request says nothing of such an export.
ALTER TABLE exports ADD COLUMN spanned INTEGER NOT NULL DEFAULT 0;
