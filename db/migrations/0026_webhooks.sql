-- Webhooks, and what is delivered: each queue is a consumer of the journal with a
-- stored position. Whoever holds its lease works on it; the token tells a holder
-- that has lost it. A queue belongs to what has the same id: a webhook.
-- +goose Up
CREATE TABLE delivery_queues (
  id            BINARY(16)    NOT NULL,
  kind          VARCHAR(32)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  active        BOOLEAN       NOT NULL,
  reached       VARCHAR(64)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  numbered      BIGINT        NOT NULL DEFAULT 0,
  pause         VARCHAR(32)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  pause_text    VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '',
  paused_at     DATETIME(6)   NULL,
  failing_since DATETIME(6)   NULL,
  last_success  DATETIME(6)   NULL,
  last_error    VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL DEFAULT '',
  lease_owner   VARCHAR(255)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  lease_until   DATETIME(6)   NULL,
  lease_token   BIGINT        NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  KEY by_owner (lease_owner, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE deliveries (
  id         BINARY(16)  NOT NULL,
  queue_id   BINARY(16)  NOT NULL,
  number     BIGINT      NOT NULL,
  state      VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  test       BOOLEAN     NOT NULL,
  seq        BIGINT      UNSIGNED NOT NULL,
  body       MEDIUMBLOB  NULL,
  bytes      INT         NOT NULL,
  attempts   INT         NOT NULL DEFAULT 0,
  log        MEDIUMTEXT  CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  next_at    DATETIME(6) NOT NULL,
  since      DATETIME(6) NOT NULL,
  done_at    DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY by_number (queue_id, number),
  KEY by_due (queue_id, state, next_at),
  KEY by_order (queue_id, state, number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE webhooks (
  id              BINARY(16)    NOT NULL,
  version         INT           NOT NULL,
  name            VARCHAR(200)  CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  url             VARCHAR(2000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  owner_id        BINARY(16)    NOT NULL,
  role            VARCHAR(16)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  document        MEDIUMTEXT    CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  variables       MEDIUMTEXT    CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  concurrency     INT           NOT NULL,
  enabled         BOOLEAN       NOT NULL,
  secret          VARBINARY(512) NOT NULL,
  secret_at       DATETIME(6)   NOT NULL,
  previous_secret VARBINARY(512) NULL,
  previous_until  DATETIME(6)   NULL,
  created_at      DATETIME(6)   NOT NULL,
  updated_at      DATETIME(6)   NOT NULL,
  PRIMARY KEY (id),
  KEY by_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE webhooks;
DROP TABLE deliveries;
DROP TABLE delivery_queues;
