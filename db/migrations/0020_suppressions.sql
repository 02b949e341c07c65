-- +goose Up
-- Exceptions: findings that raise no alert, why and until when. hits and last_hit
-- are what has been counted, the rest is what people say.
CREATE TABLE suppressions (
  id           BINARY(16) NOT NULL,
  version      INT NOT NULL,
  name         VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  reason       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  enabled      TINYINT NOT NULL,
  rules        JSON NOT NULL,
  any_rule     TINYINT NOT NULL, -- rules is empty
  alert_filter JSON NOT NULL,
  event_filter JSON NOT NULL,
  until_at     DATETIME(6) NOT NULL, -- 9999-12-31: it has no end
  expired_at   DATETIME(6) NULL,     -- when its end was noted
  created_by   JSON NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL,
  hits         BIGINT NOT NULL,
  last_hit     DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY suppressions_created (created_at, id),
  KEY suppressions_hits (hits, id),
  KEY suppressions_end (expired_at, until_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The latest findings that each suppression hid, to look at what it does.
CREATE TABLE suppressed_findings (
  suppression_id BINARY(16) NOT NULL,
  batch          BINARY(16) NOT NULL,
  ordinal        INT UNSIGNED NOT NULL,
  rule_id        BINARY(16) NOT NULL,
  PRIMARY KEY (suppression_id, batch, ordinal, rule_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE suppressed_findings;
DROP TABLE suppressions;
