-- +goose Up
-- What became of events that are kept no longer, by day and generation.
CREATE TABLE event_archives (
  id         BINARY(16) NOT NULL,
  day        DATE NOT NULL,
  generation INT NOT NULL,
  scope      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- which classes; empty: the whole day
  state      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  objects    MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, -- JSON
  events     BIGINT NOT NULL,
  bytes      BIGINT NOT NULL,
  manifest   VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  error      TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY event_archives_day (day, generation),
  KEY event_archives_newest (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Archived events that are back for a while.
CREATE TABLE event_restores (
  id         BINARY(16) NOT NULL,
  state      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until      DATETIME(6) NOT NULL,
  body       MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, -- JSON
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY event_restores_newest (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Events that stay though their time is over, and for whom: an alert that is open, or
-- a restore. An event goes when nobody holds it.
CREATE TABLE event_holds (
  day     DATE NOT NULL,
  batch   BINARY(16) NOT NULL,
  ordinal INT UNSIGNED NOT NULL,
  holder  BINARY(16) NOT NULL,
  kind    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- alert, restore
  removed BOOLEAN NOT NULL, -- the events around it are gone: it goes with its last holder
  PRIMARY KEY (day, batch, ordinal, holder),
  KEY event_holds_holder (kind, holder, day, batch, ordinal)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Where held events are while the partition that they are in is dropped. Empty but for
-- that moment; what a crash leaves here comes back with the next upkeep.
CREATE TABLE kept_events (
  day           DATE NOT NULL,
  batch         BINARY(16) NOT NULL,
  ordinal       INT UNSIGNED NOT NULL,
  occurred_at   DATETIME(6) NOT NULL,
  received_at   DATETIME(6) NOT NULL,
  class         VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  action        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  outcome       VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  severity      TINYINT NOT NULL,
  product       VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  category      VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  service       VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  format        VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  host          VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `user`        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  src_ip        BINARY(16) NULL,
  src_port      SMALLINT UNSIGNED NOT NULL,
  dst_ip        BINARY(16) NULL,
  dst_port      SMALLINT UNSIGNED NOT NULL,
  process       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  command       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  file_hash     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  file_path     TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  domain        VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  url           TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  message       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  raw           MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (day, batch, ordinal)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE kept_events, event_holds, event_restores, event_archives;
