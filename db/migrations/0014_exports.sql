-- +goose Up
-- The right to take a list out as a file, for some minutes.
CREATE TABLE exports (
  id          BINARY(16) NOT NULL,
  secret_hash BINARY(32) NOT NULL,
  noun        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  format      VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  columns     JSON NOT NULL,
  filter      MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, -- JSON
  max_rows    INT NOT NULL,
  created_by  JSON NOT NULL,
  session_id  BINARY(16) NULL, -- the login that it ends with; NULL: the token of created_by
  created_at  DATETIME(6) NOT NULL,
  expires_at  DATETIME(6) NOT NULL,
  rows_taken  INT NOT NULL, -- of the last file; -1: none was taken
  PRIMARY KEY (id),
  KEY exports_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE exports;
