-- +goose Up

-- What moved last, for those who look back.
CREATE INDEX exports_moved ON exports (account, changed_at, id);
