-- +goose Up
-- Hosts and users. first_seen, last_seen, silent_since and risk are what has been
-- observed, the rest is what people say.
CREATE TABLE assets (
  id           BINARY(16) NOT NULL,
  kind         VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name         VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  version      INT NOT NULL,
  criticality  VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  owner        VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  tags         JSON NOT NULL,
  note         TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  silent_after INT UNSIGNED NULL, -- seconds; NULL: its silence is no news
  first_seen   DATETIME(6) NOT NULL,
  last_seen    DATETIME(6) NOT NULL,
  silent_since DATETIME(6) NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL,
  -- The points of its open alerts without their decay (monitor.RiskPoints): all
  -- decay alike, so that the order of two assets does not change with time.
  risk         DOUBLE NOT NULL,
  risk_rank    DOUBLE AS (risk * CASE criticality WHEN 'LOW' THEN 0.5 WHEN 'HIGH' THEN 1.5 WHEN 'CRITICAL' THEN 2 ELSE 1 END) STORED,
  silent_at    DATETIME(6) AS (last_seen + INTERVAL silent_after SECOND) STORED,
  PRIMARY KEY (id),
  KEY assets_name (name, id),
  KEY assets_risk (risk_rank, id),
  KEY assets_last_seen (last_seen, id),
  KEY assets_silent (silent_since, silent_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE assets;
