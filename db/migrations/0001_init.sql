-- +goose Up
-- Text columns that are looked up are utf8mb4_bin: host, user, domain, hashes and
-- tags are stored in lower case, so that equality by index needs no collation.

CREATE TABLE events (
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
  PRIMARY KEY (day, batch, ordinal),
  KEY events_occurred (occurred_at, batch, ordinal),
  KEY events_host (host, occurred_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
PARTITION BY RANGE COLUMNS (day) (PARTITION pmax VALUES LESS THAN (MAXVALUE));

CREATE TABLE alerts (
  id              BINARY(16) NOT NULL,
  version         INT NOT NULL,
  title           VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  severity        TINYINT NOT NULL,
  status          VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  disposition     VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  reason          TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  assignee_id     BINARY(16) NULL,
  `count`         INT NOT NULL,
  first_seen      DATETIME(6) NOT NULL,
  last_seen       DATETIME(6) NOT NULL,
  created_at      DATETIME(6) NOT NULL,
  updated_at      DATETIME(6) NOT NULL,
  acknowledged_at DATETIME(6) NULL,
  closed_at       DATETIME(6) NULL,
  host            VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `user`          VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  src_ip          BINARY(16) NULL,
  src_port        SMALLINT UNSIGNED NOT NULL,
  dst_ip          BINARY(16) NULL,
  dst_port        SMALLINT UNSIGNED NOT NULL,
  process         TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  techniques      JSON NOT NULL,
  tags            JSON NOT NULL,
  rule_id         BINARY(16) NOT NULL,
  rule_version    INT NOT NULL,
  rule_author     VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  comments        INT NOT NULL,
  dedup_key       BINARY(32) NOT NULL,
  -- One open alert for a key: NULLs do not collide.
  open_key        BINARY(32) AS (CASE WHEN status = 'CLOSED' THEN NULL ELSE dedup_key END) STORED,
  PRIMARY KEY (id),
  UNIQUE KEY alerts_open (open_key),
  KEY alerts_last_seen (last_seen, id),
  KEY alerts_created (created_at, id),
  KEY alerts_severity (severity, last_seen, id),
  KEY alerts_status (status, last_seen, id),
  KEY alerts_rule (rule_id, last_seen, id),
  KEY alerts_assignee (assignee_id, last_seen, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE alert_events (
  alert_id BINARY(16) NOT NULL,
  batch    BINARY(16) NOT NULL,
  ordinal  INT UNSIGNED NOT NULL,
  matched  JSON NOT NULL,
  PRIMARY KEY (alert_id, batch, ordinal)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE comments (
  id         BINARY(16) NOT NULL,
  alert_id   BINARY(16) NOT NULL,
  author_id  BINARY(16) NULL,
  body       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY comments_alert (alert_id, created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE rules (
  id           BINARY(16) NOT NULL,
  version      INT NOT NULL,
  title        VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  description  TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  level        TINYINT NOT NULL,
  status       VARCHAR(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  author       VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  refs         JSON NOT NULL,
  false_pos    JSON NOT NULL,
  tags         JSON NOT NULL,
  techniques   JSON NOT NULL,
  product      VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  category     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  service      VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  fields_shown JSON NOT NULL,
  source       MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  path         VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  enabled      TINYINT NOT NULL,
  state        VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state_reason TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY rules_title (title, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE rule_versions (
  rule_id    BINARY(16) NOT NULL,
  version    INT NOT NULL,
  source     MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (rule_id, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE users (
  id            BINARY(16) NOT NULL,
  name          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  display_name  VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  role          VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  password_hash VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  disabled      TINYINT NOT NULL,
  created_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE sessions (
  id            BINARY(16) NOT NULL,
  user_id       BINARY(16) NOT NULL,
  secret_hash   BINARY(32) NOT NULL,
  previous_hash BINARY(32) NOT NULL,
  created_at    DATETIME(6) NOT NULL,
  rotated_at    DATETIME(6) NOT NULL,
  expires_at    DATETIME(6) NOT NULL,
  revoked_at    DATETIME(6) NULL,
  PRIMARY KEY (id),
  KEY sessions_user (user_id, expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE api_tokens (
  id           BINARY(16) NOT NULL,
  name         VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  secret_hash  BINARY(32) NOT NULL,
  scopes       JSON NOT NULL,
  owner_id     BINARY(16) NULL,
  created_at   DATETIME(6) NOT NULL,
  expires_at   DATETIME(6) NULL,
  last_used_at DATETIME(6) NULL,
  revoked_at   DATETIME(6) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY api_tokens_secret (secret_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE journal (
  seq    BIGINT UNSIGNED NOT NULL,
  at     DATETIME(6) NOT NULL,
  action VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  body   MEDIUMBLOB NOT NULL,
  hash   BINARY(32) NOT NULL,
  PRIMARY KEY (seq),
  KEY journal_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE journal_refs (
  kind VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  id   BINARY(16) NOT NULL,
  seq  BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (kind, id, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The one row that every transaction locks last: it gives out seq in commit order.
CREATE TABLE feed_state (
  id    TINYINT NOT NULL,
  epoch BIGINT UNSIGNED NOT NULL,
  seq   BIGINT UNSIGNED NOT NULL,
  hash  BINARY(32) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO feed_state (id, epoch, seq, hash) VALUES (1, FLOOR(1 + RAND() * 9007199254740991), 0, UNHEX(REPEAT('00', 32)));

-- +goose Down
DROP TABLE feed_state, journal_refs, journal, api_tokens, sessions, users, rule_versions, rules, comments, alert_events, alerts, events;
