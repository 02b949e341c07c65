-- +goose Up
-- For lists of events by one property, in each of their two orders: by
-- occurrence where people look for a moment, by receipt where they follow what
-- comes in. Each partition has its own small tree, so that writing stays in memory.
ALTER TABLE events
  DROP KEY events_host, -- had another order at its end than the list
  ADD KEY events_host (host, occurred_at, batch, ordinal),
  ADD KEY events_host_received (host, day, batch, ordinal),
  ADD KEY events_user (`user`, occurred_at, batch, ordinal),
  ADD KEY events_user_received (`user`, day, batch, ordinal),
  ADD KEY events_source (src_ip, occurred_at, batch, ordinal),
  ADD KEY events_class_received (class, day, batch, ordinal),
  ADD KEY events_severity_received (severity, day, batch, ordinal);

ALTER TABLE alerts
  ADD KEY alerts_status_severity (status, severity, last_seen, id),
  ADD KEY alerts_status_assignee (status, assignee_id, last_seen, id);

-- How many alerts have each status and severity. Every transaction that changes
-- alerts keeps it, under the lock of feed_state: counting is too slow for what
-- each screen shows all the time.
CREATE TABLE alert_counts (
  status   VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  severity TINYINT NOT NULL,
  n        BIGINT NOT NULL,
  PRIMARY KEY (status, severity)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO alert_counts (status, severity, n) SELECT status, severity, COUNT(*) FROM alerts GROUP BY status, severity;

-- +goose Down
DROP TABLE alert_counts;
ALTER TABLE alerts DROP KEY alerts_status_severity, DROP KEY alerts_status_assignee;
ALTER TABLE events DROP KEY events_host, ADD KEY events_host (host, occurred_at), DROP KEY events_host_received, DROP KEY events_user, DROP KEY events_user_received, DROP KEY events_source, DROP KEY events_class_received, DROP KEY events_severity_received;
