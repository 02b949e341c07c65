-- Channels: who is told of alerts in words. Each has a queue of deliveries of its own
-- id, as a webhook has.
-- +goose Up
CREATE TABLE channels (
  id            BINARY(16)     NOT NULL,
  version       INT            NOT NULL,
  name          VARCHAR(200)   CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  kind          VARCHAR(16)    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  settings      MEDIUMTEXT     CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  secret        VARBINARY(4096) NULL,
  secret_at     DATETIME(6)    NULL,
  owner_id      BINARY(16)     NOT NULL,
  role          VARCHAR(16)    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  line          TEXT           CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  tells         VARCHAR(16)    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  after_minutes INT            NOT NULL,
  group_minutes INT            NOT NULL,
  quiet         TEXT           CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NULL,
  template      MEDIUMTEXT     CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL,
  enabled       BOOLEAN        NOT NULL,
  created_at    DATETIME(6)    NOT NULL,
  updated_at    DATETIME(6)    NOT NULL,
  PRIMARY KEY (id),
  KEY by_created (created_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DELETE FROM deliveries WHERE queue_id IN (SELECT id FROM delivery_queues WHERE kind = 'Channel');
DELETE FROM delivery_queues WHERE kind = 'Channel';
DROP TABLE channels;
