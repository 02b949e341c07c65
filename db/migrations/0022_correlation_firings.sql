-- +goose Up
-- What a correlation that others count had in its window when it fired by an event: so
-- that the alerts of the others lead to it (db/correlationfiring.go has the form).
CREATE TABLE correlation_firings (
  rule_id    BINARY(16) NOT NULL,
  batch      BINARY(16) NOT NULL,
  ordinal    INT UNSIGNED NOT NULL,
  members    MEDIUMBLOB NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (rule_id, batch, ordinal),
  KEY correlation_firings_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE correlation_firings;
