-- +goose Up
ALTER TABLE alerts
  ADD COLUMN rule_severity TINYINT NOT NULL DEFAULT 0, -- what the rule says; severity is what holds
  ADD COLUMN started_at    DATETIME(6) NULL,
  ADD COLUMN merged_into   BINARY(16) NULL,
  ADD COLUMN claimed_by    BINARY(16) NULL,
  ADD COLUMN claimed_until DATETIME(6) NULL,
  ADD COLUMN file_hash     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  ADD KEY alerts_merged (merged_into, last_seen, id),
  ADD KEY alerts_host (host, last_seen, id),
  ADD KEY alerts_user (`user`, last_seen, id),
  ADD KEY alerts_source (src_ip, last_seen, id);

UPDATE alerts SET rule_severity = severity;

-- For reading as of an instant: which entities of a kind changed since.
ALTER TABLE journal_refs ADD KEY journal_refs_since (kind, seq, id);

-- +goose Down
ALTER TABLE journal_refs DROP KEY journal_refs_since;
ALTER TABLE alerts
  DROP KEY alerts_source,
  DROP KEY alerts_user,
  DROP KEY alerts_host,
  DROP KEY alerts_merged,
  DROP COLUMN file_hash,
  DROP COLUMN claimed_until,
  DROP COLUMN claimed_by,
  DROP COLUMN merged_into,
  DROP COLUMN started_at,
  DROP COLUMN rule_severity;
