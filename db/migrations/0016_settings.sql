-- +goose Up
-- What administrators have set over the configuration; one row at most.
CREATE TABLE settings (
  id   TINYINT NOT NULL,
  body JSON NOT NULL, -- monitor.Overrides
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE settings;
