-- +goose Up

-- What has ended, oldest first, and jobs that the server no longer lists: what
-- retention reads is what it deletes.
CREATE INDEX exports_old ON exports (changed_at, id) WHERE is_open = 0;
CREATE INDEX jobs_gone ON jobs (last_seen) WHERE in_list = 0;
CREATE INDEX durations_old ON durations (ended_at);
