-- +goose Up
-- The version of the rule that found an event: an open alert takes in what later
-- versions find. 0 is of a release that did not note it: the alert's own.
ALTER TABLE alert_events ADD COLUMN rule_version INT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE alert_events DROP COLUMN rule_version;
