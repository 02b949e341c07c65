-- +goose Up
-- A login by a provider ends, however often it is refreshed: the provider is asked again.
ALTER TABLE sessions ADD COLUMN ends_at DATETIME(6) NULL;

-- +goose Down
ALTER TABLE sessions DROP COLUMN ends_at;
