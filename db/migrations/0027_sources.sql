-- +goose Up
-- Who sends: one row for each token, protocol and format (monitor.SourceID). Replicas
-- add what they have counted every few seconds.
CREATE TABLE sources (
  id             BINARY(16) NOT NULL,
  version        INT NOT NULL,
  protocol       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token_id       BINARY(16) NOT NULL, -- zero: no token of the database
  token_name     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  format         VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  first_seen     DATETIME(6) NOT NULL,
  last_seen      DATETIME(6) NOT NULL,
  records        BIGINT NOT NULL,
  rejected       BIGINT NOT NULL,
  bytes          BIGINT NOT NULL,
  lag_ms         BIGINT NOT NULL, -- of the latest records, on average
  lag_max_ms     BIGINT NOT NULL,
  sightings      BIGINT NOT NULL, -- how often it was heard of anew
  gap_ms         BIGINT NOT NULL, -- the longest pause that is usual
  expect_seconds BIGINT NULL,     -- what people set; 0: its silence is no news
  silent_at      DATETIME(6) NULL, -- when its silence is noted; NULL: never
  silent_since   DATETIME(6) NULL,
  alert_id       BINARY(16) NULL,  -- about its silence
  updated_at     DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY sources_seen (last_seen, id),
  KEY sources_silent (silent_since, silent_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What came of each source, minute by minute, for an hour.
CREATE TABLE source_rates (
  source_id BINARY(16) NOT NULL,
  at        DATETIME(6) NOT NULL, -- the beginning of the minute
  records   BIGINT NOT NULL,
  rejected  BIGINT NOT NULL,
  bytes     BIGINT NOT NULL,
  PRIMARY KEY (source_id, at),
  KEY source_rates_age (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Records that were sent and could not be taken in, the latest of them.
CREATE TABLE dead_letters (
  id          BINARY(16) NOT NULL,
  at          DATETIME(6) NOT NULL,
  source_id   BINARY(16) NOT NULL,
  protocol    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token_id    BINARY(16) NOT NULL,
  token_name  VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  format      VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  code        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  message     VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  line        INT NOT NULL,
  head        TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL, -- what is searched: the record's beginning as text
  raw         MEDIUMBLOB NOT NULL,
  size        INT NOT NULL,
  cut         TINYINT NOT NULL,
  mapping     VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  state       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  replayed_at DATETIME(6) NULL,
  result      VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  batch       BINARY(16) NULL,
  PRIMARY KEY (id),
  KEY dead_letters_at (at, id),
  KEY dead_letters_source (source_id, at, id),
  KEY dead_letters_code (code, at, id),
  KEY dead_letters_state (state, at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- How records of products are read that no normaliser knows.
CREATE TABLE mappings (
  id         BINARY(16) NOT NULL,
  version    INT NOT NULL,
  name       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  enabled    TINYINT NOT NULL,
  rules      MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, -- JSON
  header     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  secret     VARBINARY(1024) NULL, -- sealed
  created_by JSON NOT NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY mappings_name (name),
  KEY mappings_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE mappings;
DROP TABLE dead_letters;
DROP TABLE source_rates;
DROP TABLE sources;
