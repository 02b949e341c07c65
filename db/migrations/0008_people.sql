-- +goose Up
ALTER TABLE users
  ADD COLUMN version INT NOT NULL DEFAULT 1,
  ADD COLUMN updated_at DATETIME(6) NULL,
  ADD COLUMN second_factor TINYINT NOT NULL DEFAULT 0;
UPDATE users SET updated_at = created_at;
ALTER TABLE users MODIFY COLUMN updated_at DATETIME(6) NOT NULL;

-- From where somebody logged in, for lists of sessions.
ALTER TABLE sessions
  ADD COLUMN address VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  ADD COLUMN agent VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',
  ADD KEY sessions_created (created_at, id),
  ADD KEY sessions_user_created (user_id, created_at, id);

ALTER TABLE api_tokens
  ADD KEY api_tokens_created (created_at, id),
  ADD KEY api_tokens_owner (owner_id, created_at, id);

-- One-time passwords. The secret is encrypted; of recovery codes only hashes are kept.
CREATE TABLE second_factors (
  user_id      BINARY(16) NOT NULL,
  secret       VARBINARY(255) NOT NULL,
  confirmed_at DATETIME(6) NULL,  -- null: enrolled, and no code has been given yet
  last_step    BIGINT NOT NULL,   -- the newest time step whose code was taken: none is taken twice
  recovery     JSON NOT NULL,     -- hashes of the codes that are left
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE second_factors;
ALTER TABLE api_tokens DROP KEY api_tokens_owner, DROP KEY api_tokens_created;
ALTER TABLE sessions DROP KEY sessions_user_created, DROP KEY sessions_created, DROP COLUMN agent, DROP COLUMN address;
ALTER TABLE users DROP COLUMN second_factor, DROP COLUMN updated_at, DROP COLUMN version;
