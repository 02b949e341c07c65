-- +goose Up
-- What senders have named of what they sent: a part that comes again under its name is
-- not stored again. Written by the transaction that stores its events.
CREATE TABLE ingest_parts (
  part_key BINARY(16) NOT NULL, -- from the sender and its name for the part
  content  BINARY(16) NOT NULL, -- from what it sent
  batch    BINARY(16) NOT NULL, -- that has its events
  at       DATETIME(6) NOT NULL,
  PRIMARY KEY (part_key),
  KEY ingest_parts_age (at, part_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE ingest_parts;
