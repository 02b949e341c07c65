-- +goose Up
-- What people keep under a name: lists to look at again, operations to run again.
CREATE TABLE saved_views (
  id          BINARY(16) NOT NULL,
  version     INT NOT NULL,
  name        VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  description TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  shared      TINYINT NOT NULL,
  owner_id    BINARY(16) NULL,
  created_at  DATETIME(6) NOT NULL,
  updated_at  DATETIME(6) NOT NULL,
  noun        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  query       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  order_by    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  columns     JSON NOT NULL,
  PRIMARY KEY (id),
  KEY saved_views_name (name, id),
  KEY saved_views_owner (owner_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE saved_operations (
  id          BINARY(16) NOT NULL,
  version     INT NOT NULL,
  name        VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  description TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  shared      TINYINT NOT NULL,
  owner_id    BINARY(16) NULL,
  created_at  DATETIME(6) NOT NULL,
  updated_at  DATETIME(6) NOT NULL,
  kind        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  document    TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  variables   TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY (id),
  KEY saved_operations_name (name, id),
  KEY saved_operations_owner (owner_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE saved_operations;
DROP TABLE saved_views;
