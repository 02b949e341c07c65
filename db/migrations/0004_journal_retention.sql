-- +goose Up
-- The journal is cut at its oldest end. What is gone for good is one position:
-- the number and hash of the last entry that was deleted. The chain of hashes is
-- checked from there, and a feed can start there. Its row is not in feed_state,
-- which every transaction locks: cutting must not make commits wait.
CREATE TABLE journal_trimmed (
  id    TINYINT NOT NULL,
  seq   BIGINT UNSIGNED NOT NULL,
  hash  BINARY(32) NOT NULL,
  bytes BIGINT UNSIGNED NOT NULL, -- of all bodies that were deleted
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO journal_trimmed (id, seq, hash, bytes) VALUES (1, 0, UNHEX(REPEAT('00', 32)), 0);

-- Of all bodies that were ever appended; less those deleted it is the size of the
-- journal. Replicas of an older version do not count theirs: until they are gone
-- the sum is a little low.
ALTER TABLE feed_state ADD COLUMN bytes BIGINT UNSIGNED NOT NULL DEFAULT 0;

-- In two steps, so that nobody waits while the journal is read.
SET @bytes = (SELECT COALESCE(SUM(LENGTH(body)), 0) FROM journal);
UPDATE feed_state SET bytes = bytes + @bytes;

ALTER TABLE journal_refs ADD KEY journal_refs_seq (seq);

-- +goose Down
ALTER TABLE journal_refs DROP KEY journal_refs_seq;
ALTER TABLE feed_state DROP COLUMN bytes;
DROP TABLE journal_trimmed;
