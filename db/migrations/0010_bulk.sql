-- +goose Up
-- What a job does to many things. It goes on where it was when its server dies.
ALTER TABLE jobs
  ADD COLUMN spec MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, -- JSON; null: the job needs none
  ADD COLUMN failed BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN undone_by BINARY(16) NULL; -- the job that undid it

CREATE TABLE job_items (
  job_id     BINARY(16) NOT NULL,
  ordinal    INT NOT NULL,
  entity_id  BINARY(16) NOT NULL,
  state      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, -- PENDING, DONE, FAILED
  code       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  message    VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  was        MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, -- the fields that changed, before
  became     MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, -- and after
  PRIMARY KEY (job_id, ordinal),
  KEY job_items_state (job_id, state, ordinal)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE job_items;
ALTER TABLE jobs DROP COLUMN undone_by, DROP COLUMN failed, DROP COLUMN spec;
