-- +goose Up
-- A rule that was never enabled is a draft. What there is counts as tried where it is
-- enabled now or has raised an alert.
ALTER TABLE rules ADD COLUMN was_enabled TINYINT NOT NULL DEFAULT 0;
UPDATE rules SET was_enabled = 1 WHERE enabled = 1 OR id IN (SELECT rule_id FROM alerts);

-- Who wrote a version; of those before this column, nobody knows.
ALTER TABLE rule_versions ADD COLUMN created_by JSON NULL;

-- What a job of kind RULE_BACKTEST tries, and what it has found so far: whoever goes on
-- with the job goes on from there.
CREATE TABLE backtests (
  job_id BINARY(16) NOT NULL,
  spec   LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  found  LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (job_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE backtests;
ALTER TABLE rule_versions DROP COLUMN created_by;
ALTER TABLE rules DROP COLUMN was_enabled;
