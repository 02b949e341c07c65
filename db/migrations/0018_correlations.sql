-- +goose Up
-- What each group of a correlation rule has counted (monitor.CorrelationState). It is
-- locked, read and written by the transactions that store events.
CREATE TABLE correlation_state (
  rule_id    BINARY(16) NOT NULL,
  group_hash BINARY(32) NOT NULL,
  definition BINARY(32) NOT NULL, -- of the correlation that it was kept for
  state      MEDIUMBLOB NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (rule_id, group_hash),
  KEY correlation_state_expiry (expires_at),
  KEY correlation_state_oldest (rule_id, expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Which rule found which event of an alert that a correlation raised.
CREATE TABLE alert_members (
  alert_id    BINARY(16) NOT NULL,
  occurred_at DATETIME(6) NOT NULL,
  batch       BINARY(16) NOT NULL,
  ordinal     INT UNSIGNED NOT NULL,
  rule_id     BINARY(16) NOT NULL,
  value       VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (alert_id, occurred_at, batch, ordinal, rule_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

ALTER TABLE rules ADD COLUMN kind VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'DETECTION';
ALTER TABLE rules ADD COLUMN name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE rules DROP COLUMN name;
ALTER TABLE rules DROP COLUMN kind;
DROP TABLE alert_members, correlation_state;
