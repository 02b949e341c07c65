-- +goose Up
-- What sources of threat intelligence warn of. The id follows from kind, value and
-- source (monitor.IndicatorID), value_key from kind and value. change_id names the
-- transaction that wrote the row last: replicas load by it what an import changed.
CREATE TABLE indicators (
  id          BINARY(16) NOT NULL,
  version     INT NOT NULL,
  kind        VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  value       VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  value_key   BINARY(16) NOT NULL,
  subdomains  TINYINT NOT NULL,
  source      VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  confidence  TINYINT UNSIGNED NOT NULL,
  severity    TINYINT NOT NULL,
  valid_from  DATETIME(6) NOT NULL,
  valid_until DATETIME(6) NULL,
  revoked_at  DATETIME(6) NULL,
  tags        JSON NOT NULL,
  description TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  reference   TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  change_id   BINARY(16) NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  created_by  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  updated_at  DATETIME(6) NOT NULL,
  updated_by  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (id),
  KEY indicators_value_key (value_key, id),
  KEY indicators_change (change_id, id),
  KEY indicators_updated (updated_at, id),
  KEY indicators_severity (severity, updated_at, id),
  KEY indicators_kind (kind, updated_at, id),
  KEY indicators_source (source, updated_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE indicators;
